"""Whether the worker makes progress: each of its parts says by when it must move on.

A part that waits says until when: for its time to poll, for an answer, for a child. All these waits have their own
limit. So an engine that is away, a disk that hangs or a slow device never counts as a lack of progress. If a wait is
still not over then, nothing can end it: this is a bug, and a restart may help.

While the loop does not run, no part of it can move on, and no part is the cause of that: see `Stall`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the worker, and by when it must move on (monotonic seconds); `None`: it has nothing to do."""

    name: str
    due_at: float | None


@dataclass(frozen=True, slots=True)
class Late:
    """A part that has not moved on, and for how many seconds it is late."""

    name: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.name} ({self.seconds:.0f} s late)"


STALL_SECONDS: Final = 5.0
"""A loop that is at least so late is reported. A loaded machine causes shorter delays."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which the loop did not run: the process was stopped, or got no processor, or hung in one call.

    It is added to the time of each part that had to move on before the loop ran again; each gets some seconds at least,
    also one that had to move on just after that.
    """

    ended_at: float
    seconds: float

    def allows(self, due_at: float) -> float:
        """Return by when a part that said `due_at` must have moved on."""
        missed = self.seconds if due_at < self.ended_at else 0.0
        return max(due_at + missed, self.ended_at + STALL_SECONDS)


def late_parts(parts: Iterable[Part], now: float, stall: Stall | None = None) -> tuple[Late, ...]:
    """Return the parts that should have moved on before `now`, in the given order. `stall`: the last one, if any."""
    allows = (lambda due_at: due_at) if stall is None else stall.allows
    allowed = ((part.name, allows(part.due_at)) for part in parts if part.due_at is not None)
    return tuple(Late(name, now - until) for name, until in allowed if until < now)
