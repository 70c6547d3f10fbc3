"""What follows from a job's end: what is logged of it, and what counts against its block."""

import logging
from collections.abc import Sequence

from supervisor.job.job import Job
from supervisor.job.result import Finished
from supervisor.lifecycle.quarantine import JobFingerprint, Quarantine, crash_summary
from supervisor.log.event import Event, tell
from supervisor.log.events.jobs import BlockQuarantined, JobEnded, JobMetBug, JobNotRun, JobWarning
from supervisor.verdict import Cause, Verdict, refusals
from supervisor.watch.stack import innermost

_log = logging.getLogger(__name__)


def tell_end(
    job: Job, finished: Finished, slot: int, pid: int | None, limit_seconds: float
) -> Sequence[Event]:
    """Log how a job ended, and what it took. Returns what was logged.

    `limit_seconds` is the limit that it would have had, where it was not run.
    """
    verdict, usage, status = finished.verdict, finished.ending.usage, finished.ending.exit_status
    limits = finished.ending.limits
    ended = JobEnded(
        job=job.job_id,
        block=job.block_id,
        slot=slot,
        pid=pid,
        outcome=verdict.status,
        cause=verdict.cause.value,
        seconds=usage.elapsed_seconds,
        limit_seconds=limits.max_seconds if limits else limit_seconds,
        cpu_seconds=usage.cpu_seconds,
        peak_memory_mb=usage.peak_memory_mb,
        peak_processes=usage.peak_processes,
        exit_code=status.code if status else None,
        signal=status.signal_name if status else None,
        where=innermost(finished.ending.stack),
        explanation="" if verdict.success else verdict.message,
    )
    tell(_log, ended, level=None if verdict.success else logging.WARNING)
    if not verdict.warning:
        return [ended]
    warning = JobWarning(job=job.job_id, block=job.block_id, warning=verdict.warning)
    tell(_log, warning)
    return [ended, warning]


def tell_bug(job: Job, verdict: Verdict, seconds: float) -> Sequence[Event]:
    """Log that a bug of this worker has ended a job. To be called where its exception is handled."""
    met = JobMetBug(
        job=job.job_id,
        block=job.block_id,
        outcome=verdict.status,
        cause=verdict.cause.value,
        seconds=seconds,
    )
    tell(_log, met, error=True)
    return [met]


def tell_not_run(job_id: str, block_id: str | None, verdict: Verdict) -> None:
    """Log why a job was not run."""
    not_run = JobNotRun(
        job=job_id,
        block=block_id,
        outcome=verdict.status,
        cause=verdict.cause.value,
        explanation=verdict.message.removeprefix("Not run: "),
    )
    # What somebody wanted is no error.
    tell(_log, not_run, level=logging.WARNING if verdict.cause is Cause.CANCELLED else None)


def count_death(quarantine: Quarantine, job: JobFingerprint, finished: Finished, at: float) -> None:
    """Count a job that has killed its process, and say so where that puts it in quarantine."""
    cause = finished.verdict.cause
    how = crash_summary(cause, finished.ending)
    if why := quarantine.ended(job, cause, how, at):
        text = refusals.quarantine_text(job.block_id, why)
        tell(_log, BlockQuarantined(block=job.block_id, explanation=text))
