"""The answer about a job's end for the engine and the operator: the one list of causes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """The cause of a job's end. Operators grep for the value."""

    COMPLETED = "completed"
    """The block returned success."""
    BLOCK_FAILED = "block_failed"
    """The block returned failure, or what it was given or returned did not fit."""
    BLOCK_RAISED = "block_raised"
    """The block raised an exception."""
    TIME_LIMIT = "time_limit"
    """The job ran longer than it may."""
    MEMORY_LIMIT = "memory_limit"
    """The job's processes used more memory than they may."""
    CPU_LIMIT = "cpu_limit"
    """The job's processes used more processor time than they may."""
    STALLED = "stalled"
    """Its event loop did not run for too long, and the worker is told to end such jobs (`--on-stall kill`)."""
    PROCESS_LIMIT = "process_limit"
    """The job had more processes and threads than it may."""
    CRASHED = "crashed"
    """A signal ended the child: a segmentation fault, an abort, a kill from outside."""
    EXITED = "exited"
    """The child ended itself without an outcome (`os._exit`, an exec)."""
    CHANNEL_CLOSED = "channel_closed"
    """The block closed the descriptor over which its result would have come."""
    BAD_FRAME = "bad_frame"
    """The block wrote to the descriptor that carries its result, or the result broke off."""
    START_FAILED = "start_failed"
    """No child could be started."""
    CANCELLED = "cancelled"
    """An operator has cancelled the job (`supervisor cancel`)."""
    WORKER_STOPPING = "worker_stopping"
    """The worker is shutting down and did not, or no longer, run the job."""
    WORKER_RESTARTED = "worker_restarted"
    """The worker died while the job ran, and has come back."""
    CLAIM_LOST = "claim_lost"
    """The engine gave the job to this worker, and the answer that should have brought it was lost."""
    QUARANTINED = "quarantined"
    """The same block has killed its process three times with these parameters; for an hour it is not run with them."""
    UNKNOWN_BLOCK = "unknown_block"
    """This worker has no such block, or its module failed to import."""
    MALFORMED_JOB = "malformed_job"
    """The engine sent a job that can't be understood."""
    WORKER_ERROR = "worker_error"
    """This worker has a bug, which its log describes; the job was ended."""
    EXPIRED = "expired"
    """The job waited here so long that the engine has given it up."""
    RESULT_REFUSED = "result_refused"
    """The job ended, and the engine refused its result for good. A failed one was sent in its place."""


RETRYABLE: Final[Mapping[Cause, bool]] = {
    Cause.START_FAILED: True,
    Cause.WORKER_STOPPING: True,
    Cause.CLAIM_LOST: True,
    Cause.EXPIRED: True,
    # Somebody has just decided that it should not run.
    Cause.CANCELLED: False,
    Cause.QUARANTINED: False,
    Cause.UNKNOWN_BLOCK: False,
    Cause.MALFORMED_JOB: False,
    # The same block would return the same result, and the engine would refuse it again.
    Cause.RESULT_REFUSED: False,
}
"""Whether another try makes sense, by cause. For all other causes, the block or the engine decides."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The truthful result of a job. `message` goes to the engine; `warning` is for the operator as well."""

    success: bool
    cause: Cause
    message: str
    retryable: bool | None = None
    warning: str | None = None
    keeps_outcome: bool = field(default=False)
    """Whether data, updates and acquires of the outcome belong to the result."""

    @property
    def status(self) -> str:
        """Return the engine's word for its status (contract W6)."""
        return "success" if self.success else "failed"


def failure(cause: Cause, message: str) -> Verdict:
    """Return the verdict of a job without a valid outcome."""
    return Verdict(success=False, cause=cause, message=message, retryable=RETRYABLE.get(cause))
