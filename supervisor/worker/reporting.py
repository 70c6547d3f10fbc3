"""The way of a verdict: into the journal, from there to the delivery, and into the log."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from supervisor.engine.items import LostJob
from supervisor.job.job import Job
from supervisor.job.result import Finished, not_run, result_text
from supervisor.journal import Claim, Ledger
from supervisor.lifecycle.quarantine import JobFingerprint, Quarantine, crash_summary
from supervisor.log.event import Event, tell
from supervisor.log.events.jobs import BlockQuarantined, JobEnded, JobMetBug, JobNotRun, JobWarning
from supervisor.verdict import Cause, Verdict, refusals
from supervisor.watch.stack import innermost
from supervisor.worker.claimed_jobs import OpenJobs
from supervisor.worker.delivery import Delivery
from supervisor.worker.job_records import JobRecords
from supervisor.worker.observer import Observer

_log = logging.getLogger(__name__)

Refused = tuple[str, str | None, int, Verdict]
"""A job that is not run: its id, its block if it is known, the number of its claim, and why."""


class EngineTraits(Protocol):
    """The abilities of the engine that change a result."""

    knows_retryable: bool


class Reporting:
    """Reports jobs that have ended, and jobs that are not run. `number` is the claim's number in the journal."""

    def __init__(
        self,
        journal: Ledger,
        delivery: Delivery,
        engine: EngineTraits,
        open_jobs: OpenJobs,
        observer: Observer,
        records: JobRecords,
    ) -> None:
        self._journal = journal
        self._delivery = delivery
        self._engine = engine
        self._open_jobs = open_jobs
        self._observer = observer
        self._records = records

    def foresee(self, job_id: str, number: int, finished: Finished) -> None:
        """Write the result that a job will have if nothing else happens to it, while its child ends."""
        text = result_text(job_id, finished, knows_retryable=self._engine.knows_retryable)
        self._journal.foresee_result(number, text)

    async def report(self, job_id: str, number: int, finished: Finished) -> None:
        """Make the result durable, if the disk takes it, then pass it to the delivery."""
        with self._open_jobs.concluded(job_id, finished.verdict):
            text = result_text(job_id, finished, knows_retryable=self._engine.knows_retryable)
            await self._journal.store_result(number, text)
            if result := self._journal.result(number):
                self._delivery.submit(result)

    async def refuse(self, job_id: str, block_id: str | None, number: int, verdict: Verdict) -> None:
        """Report a job that is not run, log that, and keep it."""
        await self._refuse(job_id, block_id, number, verdict)
        self._records.not_run(job_id, block_id, verdict)

    async def _refuse(self, job_id: str, block_id: str | None, number: int, verdict: Verdict) -> None:
        self._observer.not_run(block_id, verdict.cause.value)
        tell_not_run(job_id, block_id, verdict)
        await self.report(job_id, number, not_run(verdict))

    async def refuse_all(self, jobs: Sequence[Refused]) -> None:
        """Report many at the same time, so that they share writes to a slow disk."""
        await asyncio.gather(*(self.refuse(*job) for job in jobs))

    async def lost(self, jobs: Sequence[LostJob], worker_uuid: str, *, by_the_last_run: bool) -> None:
        """Claim and report jobs that the engine gave to this worker but that never came.

        `by_the_last_run`: they may have come to a run that was killed, and have run while its disk was full.
        """
        claims = [Claim(job.job_id, job.block_id, worker_uuid, time.time(), "") for job in jobs]
        numbers = await self._journal.claim(claims)
        never_came = refusals.claim_lost(by_the_last_run=by_the_last_run)
        reports: list[Coroutine[Any, Any, None]] = []
        for job, number in zip(jobs, numbers, strict=True):
            if self._records.has_succeeded(job.job_id):  # the kept record says more than this
                verdict = refusals.result_lost(by_the_last_run=by_the_last_run)
                reports.append(self._refuse(job.job_id, job.block_id, number, verdict))
            else:
                reports.append(self.refuse(job.job_id, job.block_id, number, never_came))
        await asyncio.gather(*reports)


def tell_end(
    job: Job, finished: Finished, slot: int, pid: int | None, limit_seconds: float
) -> Sequence[Event]:
    """Log how a job ended, and what it used. Returns the logged events.

    `limit_seconds` is the limit that the job would have had, if it was not run.
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
    """Log that a bug of this worker has ended a job. Call it in the handler of the exception."""
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
    # A cancellation is wanted, so it is not an error.
    tell(_log, not_run, level=logging.WARNING if verdict.cause is Cause.CANCELLED else None)


def count_death(quarantine: Quarantine, job: JobFingerprint, finished: Finished, at: float) -> None:
    """Count a job that has killed its process. If this quarantines the job's block, log it."""
    cause = finished.verdict.cause
    how = crash_summary(cause, finished.ending)
    if why := quarantine.ended(job, cause, how, at):
        text = refusals.quarantine_text(job.block_id, why)
        tell(_log, BlockQuarantined(block=job.block_id, explanation=text))
