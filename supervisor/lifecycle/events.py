"""The events of a job, and the commands of its state machine. All times are monotonic seconds."""

from dataclasses import dataclass
from enum import Enum, auto

from supervisor.verdict import ExitStatus, LimitKind, OutcomeSeen, OutOfMemory


class Timer(Enum):
    """The times for which a job may wait. Setting one again replaces it."""

    DEADLINE = auto()
    GRACE = auto()
    STACK = auto()
    LINGER = auto()
    CLOSED_CHANNEL = auto()
    UNKILLABLE = auto()
    DRAIN = auto()
    LOOK = auto()


@dataclass(frozen=True, slots=True)
class Begun:
    """The child is told to begin: the job runs from now on."""

    at: float


@dataclass(frozen=True, slots=True)
class NotKeptApart:
    """The child reports that it could not be isolated as ordered: it runs no code of the block, and ends."""

    at: float


@dataclass(frozen=True, slots=True)
class OutcomeArrived:
    """A complete outcome frame was read."""

    at: float
    outcome: OutcomeSeen


@dataclass(frozen=True, slots=True)
class ChannelEnded:
    """Nothing more can be read: a clean end, or `problem` says which data was invalid."""

    at: float
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ChildExited:
    """The child's pidfd fired."""

    at: float
    status: ExitStatus


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer is due. `waits_for_processor`: a child with SIGKILL waits for a processor, and for no disk."""

    at: float
    timer: Timer
    waits_for_processor: bool = False


@dataclass(frozen=True, slots=True)
class MemoryMeasured:
    """A sample of the memory of the job's processes. `at_limit`: the kernel has ended one at the limit."""

    at: float
    used_mb: float
    at_limit: bool = False


@dataclass(frozen=True, slots=True)
class CpuMeasured:
    """The processor time that the job's processes have used since its order."""

    at: float
    used_seconds: float


@dataclass(frozen=True, slots=True)
class Ticked:
    """The child's event loop ran. If it `sleeps`, it does not tick until something happens on it."""

    at: float
    sleeps: bool = False


@dataclass(frozen=True, slots=True)
class ChannelChecked:
    """All that the child had sent before a look was read, unless `unread`.

    `slept`: the thread of its event loop has not run since the look before.
    """

    at: float
    unread: bool
    slept: bool = False


@dataclass(frozen=True, slots=True)
class ProcessesCounted:
    """How many processes and threads the job has. Counting may stop above the limit."""

    at: float
    count: int


@dataclass(frozen=True, slots=True)
class WatchFailed:
    """A look at what the job uses has failed: this limit is not enforced until the next successful look."""

    at: float
    kind: LimitKind
    reason: str


@dataclass(frozen=True, slots=True)
class StopDemanded:
    """The worker can't wait for this job any longer."""

    at: float


@dataclass(frozen=True, slots=True)
class CancelDemanded:
    """An operator wants this job to end. It may clean up, as at its time limit."""

    at: float


@dataclass(frozen=True, slots=True)
class StackTaken:
    """The stack of the child's threads, empty if none came."""

    at: float
    stack: str


@dataclass(frozen=True, slots=True)
class TreeCleared:
    """No process of the job is alive, or the time for that is over (`remaining` > 0); the child was reaped.

    Neither is true if leftovers could not be searched for (not `searched`).
    """

    at: float
    killed: int = 0
    remaining: int = 0
    peak_memory_mb: float | None = None
    cpu_seconds: float | None = None
    out_of_memory: OutOfMemory | None = None
    status: ExitStatus | None = None
    """How the child ended, as its reaping has shown."""
    searched: bool = True


JobEvent = (
    Begun
    | NotKeptApart
    | OutcomeArrived
    | ChannelEnded
    | ChildExited
    | TimerFired
    | MemoryMeasured
    | CpuMeasured
    | Ticked
    | ChannelChecked
    | ProcessesCounted
    | WatchFailed
    | StopDemanded
    | CancelDemanded
    | StackTaken
    | TreeCleared
)


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Deliver `TimerFired` at this time."""

    timer: Timer
    at: float


@dataclass(frozen=True, slots=True)
class SendCancel:
    """Ask the block to stop at its next await."""

    reason: str


@dataclass(frozen=True, slots=True)
class TakeStack:
    """Ask the child to dump the stack of all its threads, and deliver `StackTaken`."""


@dataclass(frozen=True, slots=True)
class CheckChannel:
    """See whether unread data of the child exists. Deliver `ChannelChecked` after the events of what is read."""


@dataclass(frozen=True, slots=True)
class TellStalled:
    """Report that the event loop does not run, and where it hangs. The job goes on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class TellResumed:
    """Report that a stalled loop runs again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class FreezeTree:
    """Stop every process of the job, so that it can't multiply, then take the stack and deliver `StackTaken`."""


@dataclass(frozen=True, slots=True)
class KillChild:
    """Send SIGKILL to the child, through its pidfd."""


@dataclass(frozen=True, slots=True)
class ClearTree:
    """Kill everything that the dead child left behind, and deliver `TreeCleared`."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """The job is over; decide the verdict. `stuck` is true if a process of it could not be killed, or looked for."""

    at: float
    stuck: bool = False


JobCommand = (
    SetTimer
    | SendCancel
    | TakeStack
    | FreezeTree
    | CheckChannel
    | TellStalled
    | TellResumed
    | KillChild
    | ClearTree
    | Conclude
)
