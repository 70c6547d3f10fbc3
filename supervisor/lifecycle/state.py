"""What is known about a job while it lives. What follows from it is decided in `supervisor.lifecycle.job`."""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from supervisor.lifecycle.stall import StallWatch
from supervisor.lifecycle.watching import Gaps, failed, seen, unwatched
from supervisor.verdict import Ending, ExitStatus, LimitHit, LimitKind, OutcomeSeen, OutOfMemory, Usage


class Phase(Enum):
    """Where a job is in its life."""

    WAITING = auto()
    RUNNING = auto()
    CANCELLING = auto()
    DUMPING = auto()
    LINGERING = auto()
    DYING = auto()
    CLEARING = auto()
    DRAINING = auto()
    ENDED = auto()


_CHILD_MAY_RUN: Final = (Phase.RUNNING, Phase.CANCELLING, Phase.DUMPING, Phase.LINGERING)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may take. ``memory_mb`` is `None` for no limit, ``stall_seconds`` for an event loop nobody watches.

    ``kill_stalled`` ends a job whose loop has stalled; else people are told, and it goes on. ``processes`` counts
    threads too, and is `None` for no limit.
    """

    max_seconds: float
    grace_seconds: float
    memory_mb: float | None = None
    stall_seconds: float | None = None
    kill_stalled: bool = False
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """Everything that is known about a job so far."""

    limits: Limits
    phase: Phase = Phase.WAITING
    started_at: float = 0.0
    outcome: OutcomeSeen | None = None
    limit: LimitHit | None = None
    exit_status: ExitStatus | None = None
    ended_at: float | None = None
    peak_memory_mb: float | None = None
    cpu_seconds: float | None = None
    killed: bool = False
    lingered: bool = False
    channel_ended: bool = False
    channel_problem: str | None = None
    channel_closed: bool = False
    stack: str = ""
    leftover_processes: int = 0
    unkilled_processes: int = 0
    stall: StallWatch | None = None
    silent_seconds: float | None = None
    out_of_memory: OutOfMemory | None = None
    gaps: Gaps = ()

    @property
    def may_still_run(self) -> bool:
        """Whether block code may be running, so that it is worth looking at what it uses."""
        return self.phase in _CHILD_MAY_RUN

    def seen(self, kind: LimitKind, at: float) -> "JobState":
        """Take note that what this limit is for was looked at."""
        return replace(self, gaps=seen(self.gaps, kind, at))

    def unseen(self, kind: LimitKind, reason: str, at: float) -> "JobState":
        """Take note that it could not be looked at."""
        return replace(self, gaps=failed(self.gaps, kind, reason, at)) if self.may_still_run else self

    def ending(self, at: float) -> Ending:
        """Return the evidence for the verdict."""
        ended_at = self.ended_at if self.ended_at is not None else at
        usage = Usage(
            ended_at - self.started_at,
            self.peak_memory_mb,
            self.cpu_seconds,
            max_seconds=self.limits.max_seconds,
            max_memory_mb=self.limits.memory_mb,
        )
        return Ending(
            usage=usage,
            outcome=self.outcome,
            limit=self.limit,
            exit_status=self.exit_status,
            killed=self.killed,
            channel_problem=self.channel_problem,
            channel_closed=self.channel_closed,
            lingered=self.lingered,
            stack=self.stack,
            leftover_processes=self.leftover_processes,
            unkilled_processes=self.unkilled_processes,
            silent_seconds=self.stall.telling_at(ended_at) if self.stall else self.silent_seconds,
            out_of_memory=self.out_of_memory,
            unwatched=unwatched(self.gaps, ended_at),
        )
