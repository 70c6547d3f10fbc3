"""What the engine and the operator are told of a job's end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from supervisor.verdict.causes import Cause

RETRYABLE: Final[Mapping[Cause, bool]] = {
    Cause.START_FAILED: True,
    Cause.WORKER_STOPPING: True,
    Cause.CLAIM_LOST: True,
    Cause.EXPIRED: True,
    # To run it again is what somebody has just decided against.
    Cause.CANCELLED: False,
    Cause.QUARANTINED: False,
    Cause.UNKNOWN_BLOCK: False,
    Cause.MALFORMED_JOB: False,
    # The same block would return the same, and the engine refuse it again.
    Cause.RESULT_REFUSED: False,
}
"""Whether it is any use to start a job again, by its cause. What is not here the block says, or the engine decides."""


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
        """Return the engine's word for it (contract W6)."""
        return "success" if self.success else "failed"


def failure(cause: Cause, message: str) -> Verdict:
    """Return the verdict of a job that gave no outcome that counts."""
    return Verdict(success=False, cause=cause, message=message, retryable=RETRYABLE.get(cause))
