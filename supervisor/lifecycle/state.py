"""What is known about a job while it lives. `supervisor.lifecycle.job` decides what follows from it."""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from jobrunner.protocol.masking import NO_TEXT, Masked
from supervisor.lifecycle.events import TreeCleared
from supervisor.lifecycle.stall import StallWatch
from supervisor.verdict import (
    NO_CHANGES,
    Ending,
    ExitStatus,
    KernelView,
    LimitHit,
    LimitKind,
    Limits,
    OpenChanges,
    OutcomeSeen,
    OutOfMemory,
    Unwatched,
    Usage,
)


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
class Gap:
    """The times in which one limit was not watched: `seconds` that are over, and `since` if one still lasts."""

    kind: LimitKind
    reason: str
    seconds: float = 0.0
    since: float | None = None

    def until(self, at: float) -> float:
        """Return the seconds up to a time."""
        return self.seconds if self.since is None else self.seconds + max(0.0, at - self.since)


Gaps = tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class JobState:
    """Everything that is known about a job so far. `stack` and `channel_problem` are as they came: not masked."""

    limits: Limits
    phase: Phase = Phase.WAITING
    started_at: float = 0.0
    not_begun: bool = False
    """Whether its child has ended before the job could begin."""
    not_isolated: bool = False
    outcome: OutcomeSeen | None = None
    limit: LimitHit | None = None
    exit_status: ExitStatus | None = None
    ended_at: float | None = None
    peak_memory_mb: float | None = None
    cpu_seconds: float | None = None
    peak_processes: int | None = None
    killed: bool = False
    grace_used_up: bool = False
    """Whether it had its whole grace. A stop of the worker, for example, cuts it off."""
    lingered: bool = False
    waits: int = 0
    """How often it got more time to end, because it waited for a processor."""
    unkillable: bool = False
    channel_ended: bool = False
    channel_problem: str | None = None
    channel_closed: bool = False
    stack: str = ""
    leftover_processes: int = 0
    unkilled_processes: int = 0
    leftovers_unsearched: bool = False
    stall: StallWatch | None = None
    silent_seconds: float | None = None
    out_of_memory: OutOfMemory | None = None
    gaps: Gaps = ()
    """What could not be watched, and for how long: in that time the limit was not enforced."""

    @property
    def may_still_run(self) -> bool:
        """Whether block code may be running, so that a look at what it uses makes sense."""
        return self.phase in _CHILD_MAY_RUN

    def seen(self, kind: LimitKind, at: float) -> "JobState":
        """Note a successful look for this limit."""
        return replace(self, gaps=_seen(self.gaps, kind, at))

    def unseen(self, kind: LimitKind, reason: str, at: float) -> "JobState":
        """Note a failed look. If the job may not begin yet, it counts from the job's begin on (`begun`)."""
        counts = self.may_still_run or self.phase is Phase.WAITING
        return replace(self, gaps=_failed(self.gaps, kind, reason, at)) if counts else self

    def begun(self, at: float) -> "JobState":
        """Note that the block may run from now on."""
        gaps = tuple(replace(gap, seconds=0.0, since=at) for gap in self.gaps if gap.since is not None)
        return replace(self, phase=Phase.RUNNING, started_at=at, gaps=gaps)

    def counted(self, processes: int) -> "JobState":
        """Note how many processes and threads it has, while it may start more."""
        if self.phase not in (Phase.RUNNING, Phase.CANCELLING, Phase.LINGERING):
            return self
        return replace(self, peak_processes=max(self.peak_processes or 0, processes))

    def cleared(self, event: TreeCleared) -> "JobState":
        """Note what the end of the tree has shown, and the kernel's figures of the child."""
        # If a descendant traces the child, the child's status can only be read when that descendant is dead.
        status = event.status if self.exit_status == ExitStatus() and event.status else self.exit_status
        return replace(
            self,
            phase=Phase.DRAINING,
            exit_status=status,
            leftover_processes=event.killed + event.remaining,
            unkilled_processes=event.remaining,
            leftovers_unsearched=not event.searched,
            peak_memory_mb=_higher(self.peak_memory_mb, event.peak_memory_mb),
            # The child's own count lacks processes that it has not waited for.
            cpu_seconds=_higher(self.cpu_seconds, event.cpu_seconds),
            out_of_memory=event.out_of_memory,
        )

    def ending(
        self,
        at: float,
        *,
        stack: Masked = NO_TEXT,
        channel_problem: Masked | None = None,
        last_output: Masked = NO_TEXT,
        unread_output: bool = False,
        kernel: KernelView | None = None,
        changes: OpenChanges = NO_CHANGES,
    ) -> Ending:
        """Return the evidence for the verdict. Its texts, which come from the job, are given masked."""
        ended_at = self.ended_at if self.ended_at is not None else at
        return Ending(
            usage=Usage(
                ended_at - self.started_at, self.peak_memory_mb, self.cpu_seconds, self.peak_processes
            ),
            limits=self.limits,
            not_begun=self.not_begun,
            not_isolated=self.not_isolated,
            outcome=self.outcome,
            limit=self.limit,
            exit_status=self.exit_status,
            killed=self.killed,
            grace_used_up=self.grace_used_up,
            channel_problem=channel_problem,
            channel_closed=self.channel_closed,
            lingered=self.lingered,
            stack=stack,
            last_output=last_output,
            unread_output=unread_output,
            leftover_processes=self.leftover_processes,
            unkilled_processes=self.unkilled_processes,
            leftovers_unsearched=self.leftovers_unsearched,
            kernel=kernel,
            silent_seconds=self.stall.telling_at(ended_at) if self.stall else self.silent_seconds,
            unkillable=self.unkillable,
            out_of_memory=self.out_of_memory,
            unwatched=_unwatched(self.gaps, ended_at),
            changes=changes,
        )


def _higher(one: float | None, other: float | None) -> float | None:
    return max((figure for figure in (one, other) if figure is not None), default=None)


def _failed(gaps: Gaps, kind: LimitKind, reason: str, at: float) -> Gaps:
    """Note a failed look. Of several reasons the first one is kept."""
    known = next((gap for gap in gaps if gap.kind is kind), Gap(kind, reason))
    if known.since is None:
        known = replace(known, since=at)
    return (*(gap for gap in gaps if gap.kind is not kind), known)


def _seen(gaps: Gaps, kind: LimitKind, at: float) -> Gaps:
    """Note a successful look."""
    return tuple(replace(gap, seconds=gap.until(at), since=None) if gap.kind is kind else gap for gap in gaps)


def _unwatched(gaps: Gaps, at: float) -> tuple[Unwatched, ...]:
    """Return what the result of a job that has ended at this time must report."""
    return tuple(Unwatched(gap.kind, gap.until(at), gap.reason) for gap in gaps)
