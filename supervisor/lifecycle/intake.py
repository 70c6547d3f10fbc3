"""Whether the worker polls for jobs: open, paused by an operator, draining or drained.

```
OPEN ──pause──► PAUSED ──resume, time over──► OPEN
OPEN, PAUSED ──drain──► DRAINING ──nothing left──► DRAINED ──resume──► OPEN
```
A pause does not replace a drain: at its end the worker would poll for jobs that nobody wants here. All times are
monotonic seconds: a clock that jumps neither ends a pause nor makes it longer.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

LONGEST_PAUSE_SECONDS: Final = 30 * 24 * 3600.0
"""The longest pause that ends by itself. One without an end may be longer."""

LONGEST_NOTE_CHARS: Final = 200


class IntakeMode(StrEnum):
    """What the worker does with new jobs."""

    OPEN = "open"
    PAUSED = "paused"
    DRAINING = "draining"
    DRAINED = "drained"


@dataclass(frozen=True, slots=True)
class Left:
    """What a drain waits for: jobs that run or wait for a slot, results that the engine does not have, and polls
    that are on their way, or whose answers were lost."""

    jobs: int = 0
    results: int = 0
    requests: int = 0

    def __bool__(self) -> bool:
        return bool(self.jobs or self.results or self.requests)

    def __str__(self) -> str:
        parts = [
            f"{self.jobs} job(s) to finish" if self.jobs else "",
            f"{self.results} result(s) to deliver" if self.results else "",
            f"{self.requests} request(s) for jobs still open" if self.requests else "",
        ]
        return ", ".join(part for part in parts if part) or "nothing"


@dataclass(frozen=True, slots=True)
class IntakeState:
    """The mode, since when and by whom. `until` is when a pause ends by itself; `None` is never."""

    mode: IntakeMode = IntakeMode.OPEN
    since: float = 0.0
    until: float | None = None
    by: str = ""
    note: str = ""
    ends_worker: bool = False
    """Whether the worker must end once it is drained."""

    @property
    def is_open(self) -> bool:
        """Whether the worker may poll for jobs."""
        return self.mode is IntakeMode.OPEN

    @property
    def is_drain(self) -> bool:
        """Whether somebody drains the worker, or has done so."""
        return self.mode in (IntakeMode.DRAINING, IntakeMode.DRAINED)

    def seconds_left(self, now: float) -> float | None:
        """Return in how many seconds a pause ends by itself, `None` if it does not."""
        return None if self.until is None else max(0.0, self.until - now)


def paused(state: IntakeState, now: float, by: str, note: str, for_seconds: float | None) -> IntakeState:
    """Return the state after a pause, which replaces an earlier one; a drain stays unchanged."""
    if state.is_drain:
        return state
    since = state.since if state.mode is IntakeMode.PAUSED else now
    until = None if for_seconds is None else now + min(for_seconds, LONGEST_PAUSE_SECONDS)
    return IntakeState(IntakeMode.PAUSED, since, until, by, one_line(note))


def draining(state: IntakeState, now: float, by: str, note: str, *, ends_worker: bool) -> IntakeState:
    """Return the state after a request to drain. A second request may add that the worker must end."""
    if state.is_drain:
        return replace(state, ends_worker=state.ends_worker or ends_worker)
    return IntakeState(IntakeMode.DRAINING, now, None, by, one_line(note), ends_worker)


def looked(state: IntakeState, now: float, left: Left) -> IntakeState:
    """Return the state after a look at the time, and at what is left to do."""
    if state.until is not None and now >= state.until:
        return IntakeState(since=now)
    if state.mode is IntakeMode.DRAINING and not left:
        return replace(state, mode=IntakeMode.DRAINED, since=now)
    return state


def why_closed(state: IntakeState, now: float, left: Left) -> str | None:
    """Say in one sentence why the worker does not poll, `None` if it does."""
    note = f": {state.note}" if state.note else ""
    match state.mode:
        case IntakeMode.OPEN:
            return None
        case IntakeMode.PAUSED:
            seconds = state.seconds_left(now)
            end = (
                " until `supervisor resume` or a restart"
                if seconds is None
                else f", {time_left(seconds)} left"
            )
            return f"paused by {state.by}{end}{note}."
        case IntakeMode.DRAINING:
            return f"being drained by {state.by}, with {left}{note}."
        case IntakeMode.DRAINED:
            return f"drained by {state.by}; `supervisor resume` or a restart has it ask for jobs again{note}."


def time_left(seconds: float) -> str:
    """Return a time in words, such as `40 s`, `30 min` or `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part
    )


def one_line(note: str, most_chars: int = LONGEST_NOTE_CHARS) -> str:
    """Return a note for a log and a status: one printable line, not too long."""
    printable = "".join(char if char.isprintable() else " " for char in note).strip()
    return printable if len(printable) <= most_chars else printable[: most_chars - 2] + " …"
