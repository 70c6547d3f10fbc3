"""Whether a job could be started now, judged by the last starts of children."""

from dataclasses import dataclass, replace
from typing import Final, Self

FAILURES_UNTIL_LOST: Final = 2
"""After so many failed starts in a row, only as many jobs are claimed as there are spares. One may be chance."""

GIVE_BACK_SECONDS: Final = 10.0
"""How long a job waits for its child while starts fail. Then it is reported as failed: another worker may run it."""

_LATE_SECONDS: Final = 5.0
_LATE_TIMES: Final = 5.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is known. All times are monotonic seconds; `ready` is the number of spares that wait for a job.

    As long as starts succeed, a moment without a spare is normal: a burst takes them all, and the next ones come.
    """

    is_proven: bool = False
    """Whether a child has ever become ready."""
    failures: int = 0
    """The starts that have failed since the last one that succeeded."""
    failing_since: float | None = None
    """When the first of them began; `None` while the missing thing is on its way."""
    reason: str = ""
    """Why the last one failed, or is late."""
    is_late: bool = False
    start_seconds: float = 0.0
    """How long the last successful start took."""
    succeeded_at: float = 0.0

    @property
    def late_after_seconds(self) -> float:
        """How long a start may take until it is late. It depends on the last one: a machine may be slow."""
        return max(_LATE_SECONDS, _LATE_TIMES * self.start_seconds)

    def succeeded(self, began: float, now: float) -> Self:
        """A child that was requested at `began` is ready."""
        return replace(
            self,
            is_proven=True,
            failures=0,
            failing_since=None,
            reason="",
            is_late=False,
            start_seconds=now - began,
            succeeded_at=now,
        )

    def failed(self, reason: str, began: float, *, on_its_way: bool = False) -> Self:
        """A start has failed. `on_its_way`: what is missing is being started already."""
        since = self.failing_since
        if since is None and not on_its_way:
            since = began
        return replace(self, failures=self.failures + 1, failing_since=since, reason=reason)

    def late(self, began: float, now: float) -> Self:
        """A start that began at `began` is late. It matters only if no other has succeeded meanwhile."""
        if self.succeeded_at > began:
            return self
        reason = self.reason or f"No child has become ready for {now - began:.0f} s."
        return replace(self, is_late=True, reason=reason)

    @property
    def _is_sound(self) -> bool:
        return self.is_proven and not self.is_late and self.failures < FAILURES_UNTIL_LOST

    def room(self, ready: int) -> int | None:
        """Return how many more jobs could be started now, `None` for any number."""
        return None if self._is_sound else ready

    def problem(self, ready: int) -> str | None:
        """Return why no job could be started now, `None` if one could; empty while the first child is on its way."""
        return None if ready or self._is_sound else self.reason

    def wait_until(self, asked_at: float, longest_seconds: float) -> float:
        """Return until when a job waits for a child that it has requested at `asked_at`."""
        longest = asked_at + longest_seconds
        if self.failing_since is None:
            return longest
        return min(longest, max(asked_at, self.failing_since) + GIVE_BACK_SECONDS)
