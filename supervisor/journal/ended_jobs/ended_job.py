"""A job that has ended, as it is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EndedJob:
    """How a job ended and what it used. Times are seconds since the epoch; `None` is unknown.

    Texts are masked. The figures are those of the event `job_ended`. `seconds` is measured: if the clock was set
    while the job ran, it is not the difference of the times.
    """

    job_id: str
    block: str | None
    outcome: str
    cause: str
    message: str
    ended_at: float
    started_at: float | None = None
    """`None` if the job was not run."""
    step: str | None = None
    warning: str | None = None
    slot: int | None = None
    pid: int | None = None
    seconds: float | None = None
    limit_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_mb: float | None = None
    peak_processes: int | None = None
    exit_code: int | None = None
    signal: str | None = None
    where: str | None = None
    """File, line and function that the block's code was in when it was killed or crashed."""
    parameters_digest: str | None = None
    """As in the claim: equal for jobs of this worker with equal parameters, and shows nothing else of them."""
    result_bytes: int = 0
    """The length of the block's result, kept or not."""
    cancelled_by: str | None = None
    """The user who has cancelled it, as the kernel named the asking process; `None` if it ended otherwise."""
    cancelled_at: float | None = None
    """When the job was asked to end."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What memory holds of each kept job."""

    number: int
    job_id: str
    block: str | None
    outcome: str
    cause: str
    ended_at: float
    seconds: float | None


def summary_of(number: int, job: EndedJob) -> Summary:
    """Return what memory must hold of a job."""
    return Summary(number, job.job_id, job.block, job.outcome, job.cause, job.ended_at, job.seconds)
