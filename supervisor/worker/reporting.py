"""A verdict on its way out: into the journal, and from there to the delivery."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from supervisor.engine.items import LostJob
from supervisor.job.result import Finished, not_run, result_text
from supervisor.journal import Claim, Ledger
from supervisor.verdict import Verdict, refusals
from supervisor.worker.claimed_jobs import OpenJobs
from supervisor.worker.delivery import Delivery
from supervisor.worker.job_end import tell_not_run
from supervisor.worker.job_records import JobRecords
from supervisor.worker.observer import Observer

Refused = tuple[str, str | None, int, Verdict]
"""A job that is not run: its id, its block where that is known, the number of its claim, and why."""


class EngineTraits(Protocol):
    """What of the engine's abilities shapes a result."""

    knows_retryable: bool


class Reporting:
    """Reports jobs that have ended, and jobs that are not run. `number` is that of the claim in the journal."""

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
        """Have the result written that a job will have if nothing else is seen of it, while its child ends."""
        text = result_text(job_id, finished, knows_retryable=self._engine.knows_retryable)
        self._journal.foresee_result(number, text)

    async def report(self, job_id: str, number: int, finished: Finished) -> None:
        """Make the result durable, as far as the disk takes it, then hand it to the delivery."""
        with self._open_jobs.concluded(job_id, finished.verdict):
            text = result_text(job_id, finished, knows_retryable=self._engine.knows_retryable)
            await self._journal.store_result(number, text)
            if result := self._journal.result(number):
                self._delivery.submit(result)

    async def refuse(self, job_id: str, block_id: str | None, number: int, verdict: Verdict) -> None:
        """Report a job that is not run, say so, and keep that."""
        await self._refuse(job_id, block_id, number, verdict)
        self._records.not_run(job_id, block_id, verdict)

    async def _refuse(self, job_id: str, block_id: str | None, number: int, verdict: Verdict) -> None:
        self._observer.not_run(block_id, verdict.cause.value)
        tell_not_run(job_id, block_id, verdict)
        await self.report(job_id, number, not_run(verdict))

    async def refuse_all(self, jobs: Sequence[Refused]) -> None:
        """Report many at the same time, so that they share the writes to a disk that may be slow."""
        await asyncio.gather(*(self.refuse(*job) for job in jobs))

    async def lost(self, jobs: Sequence[LostJob], worker_uuid: str, *, by_the_last_run: bool) -> None:
        """Claim and report jobs that the engine has given to this worker and that never came."""
        claims = [Claim(job.job_id, job.block_id, worker_uuid, time.time(), "") for job in jobs]
        numbers = await self._journal.claim(claims)
        never_came = refusals.claim_lost(by_the_last_run=by_the_last_run)
        reports: list[Coroutine[Any, Any, None]] = []
        for job, number in zip(jobs, numbers, strict=True):
            if self._records.has_succeeded(job.job_id):  # what is kept of it says more than this
                verdict = refusals.result_lost(by_the_last_run=by_the_last_run)
                reports.append(self._refuse(job.job_id, job.block_id, number, verdict))
            else:
                reports.append(self.refuse(job.job_id, job.block_id, number, never_came))
        await asyncio.gather(*reports)
