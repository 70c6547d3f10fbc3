"""The evidence of a job's end."""

from dataclasses import dataclass

from jobrunner.protocol.masking import NO_TEXT, Masked
from supervisor.verdict.changes import NO_CHANGES, OpenChanges
from supervisor.verdict.limits import LimitHit, LimitKind, Limits


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How the child ended, from the kernel: an exit code, or the name of a signal (`SIGSEGV`).

    Neither if another process has reaped it.
    """

    code: int | None = None
    signal_name: str | None = None

    def __str__(self) -> str:
        if self.signal_name:
            return f"signal {self.signal_name}"
        return "an unknown exit status" if self.code is None else f"exit code {self.code}"


@dataclass(frozen=True, slots=True)
class OutcomeSeen:
    """A complete outcome frame: what the block returned. `raised`: it was made from an exception.

    `warning` is what the child reports about the block besides, mostly empty."""

    success: bool
    message: Masked
    retryable: bool | None = None
    raised: bool = False
    warning: Masked = NO_TEXT


@dataclass(frozen=True, slots=True)
class Usage:
    """What the job used. `None` if it is unknown.

    `peak_processes` is the highest number of processes and threads seen at once. They are counted once a second, and
    when the machine's number jumps, so a job that ends before has none.
    """

    elapsed_seconds: float
    peak_memory_mb: float | None = None
    cpu_seconds: float | None = None
    peak_processes: int | None = None


@dataclass(frozen=True, slots=True)
class KernelView:
    """What /proc shows of a process that gave no stack. Empty if it could not be read.

    `state` is the letter of proc(5): `T` is stopped, `D` waits in the kernel and gets no signal. `wchan` names
    the kernel's function, `stack` its callers (for root only), `syscall` is the number of the system call.
    `deaf`: its main thread blocks the signal that asks for the stack.
    """

    state: str = ""
    wchan: str = ""
    syscall: str = ""
    stack: Masked = NO_TEXT
    deaf: bool = False


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """The kernel's own count of processes of the job that its OOM killer ended: proof, not a guess.

    `limit_mb` is the job's limit that was reached. `None` if it was not reached, or there is none: then the machine, or
    a cgroup above this worker's jobs, was out of memory.
    """

    kills: int
    limit_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A limit that could not be enforced for so long, because looks at the job failed for `reason`."""

    kind: LimitKind
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Ending:
    """The evidence for a verdict. `outcome` is the first one; `limit` is set only if it was hit before that.

    `limits` are what the job might use, `None` if it was not run.
    `killed`: the worker sent SIGKILL, so the exit status says nothing about the block.
    `grace_used_up`: the child had its whole grace before, and lived on.
    `channel_problem` is what was wrong with the channel; `channel_closed`: it ended while the child lived.
    `lingered`: the child had to be killed after its outcome. `stack` is where the code was.
    `kernel` is the kernel's view if no stack came. `silent_seconds` is how long its event loop had not run
    when the end began; `None` if it ran. `unkillable`: SIGKILL did not end it.
    `leftover_processes` counts what the child left behind; of these, `unkilled_processes` could not be killed.
    `out_of_memory` is set only if the kernel says so. `unwatched` are the limits that were not always enforced.
    """

    usage: Usage
    limits: Limits | None = None
    not_begun: bool = False
    """Whether the child has ended before it had anything to run."""
    not_isolated: bool = False
    """Whether the child has reported that it could not be isolated as ordered, and runs nothing."""
    outcome: OutcomeSeen | None = None
    limit: LimitHit | None = None
    exit_status: ExitStatus | None = None
    killed: bool = False
    grace_used_up: bool = False
    channel_problem: Masked | None = None
    channel_closed: bool = False
    lingered: bool = False
    stack: Masked = NO_TEXT
    last_output: Masked = NO_TEXT
    unread_output: bool = False
    """Whether what it printed last is missing, as a read of it was held up."""
    leftover_processes: int = 0
    unkilled_processes: int = 0
    leftovers_unsearched: bool = False
    """Leftovers of the job could not be searched for when its result was due."""
    kernel: KernelView | None = None
    silent_seconds: float | None = None
    unkillable: bool = False
    out_of_memory: OutOfMemory | None = None
    unwatched: tuple[Unwatched, ...] = ()
    changes: OpenChanges = NO_CHANGES
    """The job's reports of device changes that are in force, or may be."""

    @property
    def oom_limit_mb(self) -> float | None:
        """The job's memory limit, if the kernel ended the child at it: SIGKILL not sent by the worker, and proven."""
        proven = self.out_of_memory is not None and not self.killed
        if self.out_of_memory is None or not proven or self.exit_status != ExitStatus(signal_name="SIGKILL"):
            return None
        return self.out_of_memory.limit_mb
