"""A template that does not answer: is it only slow, was it stopped, or does it hang? Times are monotonic seconds."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

LOOK_SECONDS: Final = 1.0
"""How often it looks at a template that was asked for a child, which takes milliseconds."""

LATE_SECONDS: Final = 0.5
"""If a look is so late, the worker stood still, and probably the template with it: this time does not count."""

_MOST_MOMENTS: Final = 3
"""How often it has a moment more, if its time was over anyway: a worker that is always late must go on as well."""

HUNG_SECONDS: Final = 10.0
"""How long it may do nothing at all: neither run nor wait for a core."""

SILENCES_UNTIL_REPLACED: Final = 2
"""After so many unanswered requests in a row it is replaced. The machine may be the cause of a single one."""

_STOPPED: Final = frozenset("Tt")
_STOPPED_LOOKS: Final = 2


class Judgement(Enum):
    """What to do about an unanswered request."""

    WAIT = auto()
    REPLACE = auto()
    """It is stopped, so it will never answer."""
    GIVE_UP = auto()
    """The request was not answered in time."""


@dataclass(frozen=True, slots=True)
class Look:
    """A template as the kernel shows it. `state` is the letter of proc(5).

    `worked` grows when the template or one of its forks runs or waits for a core. So a machine without time for it
    looks different from a template that hangs. `None` if the kernel does not show it.
    """

    state: str
    worked: int | None

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped it (SIGSTOP), or traces it."""
        return self.state in _STOPPED


class TemplateSilence:
    """One request that waits for its answer since `asked_at`, `longest_seconds` at most."""

    def __init__(self, asked_at: float, longest_seconds: float) -> None:
        self._ends_at = asked_at + longest_seconds
        self._idle_since = asked_at
        self._look_at: float | None = None
        self._moments = _MOST_MOMENTS
        self._worked: int | None = None
        self._stopped_looks = 0

    def next_look_seconds(self, now: float) -> float:
        """Return how long to wait for the answer until the next look."""
        pause = max(0.0, min(LOOK_SECONDS, self._ends_at - now))
        self._look_at = now + pause
        return pause

    def judge(self, look: Look, now: float) -> Judgement:
        """Return what to do after a look. Look again, unless it is over."""
        self._leave_out_standstill(now)
        self._stopped_looks = self._stopped_looks + 1 if look.is_stopped else 0
        if self._stopped_looks >= _STOPPED_LOOKS:
            return Judgement.REPLACE
        if look.worked is None or look.worked != self._worked:
            self._worked, self._idle_since = look.worked, now
        if now >= self._ends_at or now - self._idle_since >= HUNG_SECONDS - LOOK_SECONDS:
            return Judgement.GIVE_UP
        return Judgement.WAIT

    def _leave_out_standstill(self, now: float) -> None:
        late_seconds = 0.0 if self._look_at is None else now - self._look_at
        if late_seconds >= LATE_SECONDS:
            self._ends_at += late_seconds
            self._idle_since += late_seconds
            if self._ends_at <= now and self._moments:
                self._moments -= 1
                self._ends_at = now + LOOK_SECONDS


class Silences:
    """The unanswered requests in a row to one template."""

    def __init__(self) -> None:
        self._count = 0
        self._last_at = float("-inf")

    def answered(self) -> None:
        """A child from it has become ready."""
        self._count = 0

    def given_up(self, asked_at: float, now: float) -> bool:
        """Return whether to replace it. Requests that waited at the same time count as one."""
        if asked_at >= self._last_at:
            self._count += 1
            self._last_at = now
        return self._count >= SILENCES_UNTIL_REPLACED
