"""What is logged of a job's end."""

import logging

from supervisor.job.job import Job
from supervisor.job.result import Finished
from supervisor.log.event import tell
from supervisor.log.events.jobs import JobEnded, JobWarning
from supervisor.watch.stack import innermost

_log = logging.getLogger(__name__)


def tell_end(job: Job, finished: Finished, slot: int, pid: int | None, limit_seconds: float) -> None:
    """Log how a job ended, and what it took."""
    verdict, usage, status = finished.verdict, finished.ending.usage, finished.ending.exit_status
    ended = JobEnded(
        job=job.job_id,
        block=job.block_id,
        slot=slot,
        pid=pid,
        outcome=verdict.status,
        cause=verdict.cause.value,
        seconds=usage.elapsed_seconds,
        limit_seconds=limit_seconds,
        cpu_seconds=usage.cpu_seconds,
        peak_memory_mb=usage.peak_memory_mb,
        exit_code=status.code if status else None,
        signal=status.signal_name if status else None,
        where=innermost(finished.ending.stack),
        explanation="" if verdict.success else verdict.message,
    )
    tell(_log, ended, level=None if verdict.success else logging.WARNING)
    if verdict.warning:
        tell(_log, JobWarning(job=job.job_id, block=job.block_id, warning=verdict.warning))
