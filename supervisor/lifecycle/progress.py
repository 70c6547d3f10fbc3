"""Whether the worker makes progress: each of its parts says by when it moves on at the latest.

A part that waits says until when: for its time to poll, for an answer, for a child. All these waits have a bound of
their own, so that an engine that is away, a disk that hangs or a device that is slow is never a lack of progress. What
is still not over then waits for nothing that could come: a bug, which a new start may mend.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the worker, and by when it moves on at the latest (monotonic seconds); `None`: it has nothing to do."""

    name: str
    due_at: float | None


@dataclass(frozen=True, slots=True)
class Late:
    """A part that has not moved on, and for how many seconds it should have."""

    name: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.name} ({self.seconds:.0f} s late)"


def late_parts(parts: Iterable[Part], now: float) -> tuple[Late, ...]:
    """Return the parts that should have moved on before `now`, in the order given."""
    return tuple(
        Late(part.name, now - part.due_at) for part in parts if part.due_at is not None and part.due_at < now
    )
