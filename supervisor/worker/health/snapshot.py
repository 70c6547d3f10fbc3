"""The worker's state at one moment: made on its loop, read by the thread that answers. Pure."""

from dataclasses import dataclass
from typing import Final

from supervisor.worker.readiness import STARTING, Reason

LOOK_SECONDS: Final = 1.0
"""How often a snapshot is made."""

BLOCKED_SECONDS: Final = 5.0
"""A loop that has not run for so long is blocked: `/live` answers 503."""

LOOP_BLOCKED: Final = "loop_blocked"
NO_PROGRESS: Final = "no_progress"

_STARTS: Final = Reason(STARTING, "starting: the worker has not asked for jobs yet")


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of all things."""

    slots: int = 0
    slots_taken: int = 0
    """Slots with a job."""
    jobs: int = 0
    """Jobs that run, and jobs that wait here."""
    spares: int = 0
    results_waiting: int = 0
    journal_claims: int = 0
    dead_letters: int = 0
    journal_in_trouble: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`made_at` is in seconds of the monotonic clock. `late` names the parts that have not moved on in time."""

    made_at: float
    why_not_ready: tuple[Reason, ...] = (_STARTS,)
    late: tuple[str, ...] = ()
    counts: Counts = Counts()

    def blocked_seconds(self, now: float) -> float:
        """Return how long the worker's loop has not run, beyond the time until the next snapshot is due."""
        return max(0.0, now - self.made_at - LOOK_SECONDS)


def why_not_live(snapshot: Snapshot, now: float) -> tuple[Reason, ...]:
    """Return why the worker should be restarted; empty while it moves on. The engine is never the reason."""
    blocked = snapshot.blocked_seconds(now)
    if blocked > BLOCKED_SECONDS:
        return (Reason(LOOP_BLOCKED, f"the worker's event loop has not run for {blocked:.0f} s"),)
    return tuple(Reason(NO_PROGRESS, f"it makes no progress: {part}") for part in snapshot.late)


def why_not_ready_now(snapshot: Snapshot, now: float) -> tuple[Reason, ...]:
    """Return why the worker takes no jobs. A snapshot from before a blocked loop does not count."""
    return (
        *(why for why in why_not_live(snapshot, now) if why.cause == LOOP_BLOCKED),
        *snapshot.why_not_ready,
    )
