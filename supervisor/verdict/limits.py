"""What a job may use: all other code reads a job's limits from this one object."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class LimitKind(StrEnum):
    """Which limit the worker enforced."""

    TIME = "time"
    MEMORY = "memory"
    CPU = "cpu"
    PROCESSES = "processes"
    STOPPING = "stopping"
    CANCELLED = "cancelled"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use. `memory_mb` and `cpu_seconds` (of all processors together) are `None` for no limit,
    `stall_seconds` for an event loop that is not watched.

    `kill_stalled` ends a job whose loop has stalled; otherwise it is reported, and the job goes on. `processes` counts
    threads too, and is `None` for no limit. `by_block` are the limits that the block's registration has set, tighter
    than the worker's: change the registration to raise one of them.
    """

    max_seconds: float
    grace_seconds: float
    memory_mb: float | None = None
    stall_seconds: float | None = None
    kill_stalled: bool = False
    processes: int | None = None
    cpu_seconds: float | None = None
    by_block: frozenset[LimitKind] = frozenset()

    def of(self, kind: LimitKind) -> float | None:
        """Return a limit in its own unit (seconds, megabytes, processes), `None` if there is none."""
        match kind:
            case LimitKind.TIME | LimitKind.STOPPING | LimitKind.CANCELLED:
                return self.max_seconds
            case LimitKind.MEMORY:
                return self.memory_mb
            case LimitKind.CPU:
                return self.cpu_seconds
            case LimitKind.PROCESSES:
                return self.processes
            case LimitKind.STALL:
                return self.stall_seconds
            case _:
                assert_never(kind)


@dataclass(frozen=True, slots=True)
class LimitHit:
    """The worker decided to end the job. `measured` is seconds, megabytes or a number of processes and threads, by
    `kind`."""

    kind: LimitKind
    measured: float
