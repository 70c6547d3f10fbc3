"""Claimed jobs: into the journal, into a slot, and out again as a result."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from jobrunner.protocol.catalogue import BlockEntry, Catalogue
from supervisor.engine.items import LostJob, MalformedJob
from supervisor.job.limits import limits_for
from supervisor.job.result import Finished, not_run, result_text
from supervisor.job.runner import Job, JobRunner
from supervisor.journal import Claim, Ledger
from supervisor.journal.records import digest_of
from supervisor.lifecycle.quarantine import JobFingerprint, Quarantine, crash_summary
from supervisor.process.tasks import Tasks
from supervisor.verdict import Cause, Verdict, refusals
from supervisor.worker.delivery import Delivery

_log = logging.getLogger(__name__)


class EngineTraits(Protocol):
    """What of the engine's abilities shapes a result."""

    knows_retryable: bool


@dataclass(frozen=True, slots=True)
class _Claimed:
    job: Job
    number: int
    """The claim's number in the journal."""
    digest: str
    """Of the job's parameters, as in the claim."""
    claimed_at: float


class Dispatcher:
    """Keeps the slots. A slot is free again only when its job's result is on the disk.

    ``clock`` is monotonic, and is replaced in tests.
    """

    def __init__(
        self,
        runner: JobRunner,
        journal: Ledger,
        delivery: Delivery,
        engine: EngineTraits,
        catalogue: Catalogue,
        *,
        slots: int,
        engine_job_timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changed = asyncio.Event()
        """Set whenever a slot has become free, and by the poller when it is to stop."""
        self._runner = runner
        self._journal = journal
        self._delivery = delivery
        self._engine = engine
        self._catalogue = catalogue
        self._slots = slots
        self._engine_job_timeout = engine_job_timeout_seconds
        self._clock = clock
        self._quarantine = Quarantine()
        self._waiting: deque[_Claimed] = deque()
        self._active: set[str] = set()
        self._tasks = Tasks()

    @property
    def free_slots(self) -> int:
        """How many more jobs can be started now."""
        return max(0, self._slots - len(self._tasks) - len(self._waiting))

    @property
    def busy(self) -> int:
        """How many jobs run or wait."""
        return len(self._tasks) + len(self._waiting)

    @property
    def catalogue(self) -> Catalogue:
        """The blocks that are run."""
        return self._catalogue

    def offer(self, catalogue: Catalogue) -> None:
        """Run the blocks of this catalogue from now on. What killed its process may be mended in them."""
        self._catalogue = catalogue
        self._quarantine = Quarantine()

    async def accept(self, items: Sequence[Job | MalformedJob], worker_uuid: str) -> None:
        """Take over what a poll has claimed. Never fails: what can't be run gets its result here."""
        jobs = self._without_repeats(items)
        await self._delivery.supersede({item.job_id for item in jobs if item.job_id is not None})
        claims = [self._claim(item, worker_uuid) for item in jobs]
        numbers = await self._journal.claim(claims)
        now = self._clock()
        for item, claim, number in zip(jobs, claims, numbers, strict=True):
            if isinstance(item, MalformedJob):
                assert item.job_id is not None
                await self._refuse(item.job_id, number, refusals.malformed_job(item.reason))
            elif self._catalogue.find(item.block_id) is None:
                await self._refuse(item.job_id, number, self._unknown(item.block_id))
            else:
                self._active.add(item.job_id)
                self._waiting.append(_Claimed(item, number, claim.digest, now))
        self._fill_slots()

    @property
    def known_job_ids(self) -> frozenset[str]:
        """The jobs that this worker has, and those whose results the engine does not have yet."""
        return frozenset(self._journal.known_job_ids())

    async def report_lost(
        self, jobs: Sequence[LostJob], worker_uuid: str, *, by_the_last_run: bool = False
    ) -> None:
        """Report jobs as failed that the engine has given to this worker and that never came.

        ``by_the_last_run``: they may have come to a run that was killed, and have run while its disk was full.
        """
        claims = [Claim(job.job_id, job.block_id, worker_uuid, time.time(), "") for job in jobs]
        for job, number in zip(jobs, await self._journal.claim(claims), strict=True):
            await self._refuse(job.job_id, number, refusals.claim_lost(by_the_last_run=by_the_last_run))

    def _without_repeats(self, items: Sequence[Job | MalformedJob]) -> list[Job | MalformedJob]:
        chosen: dict[str, Job | MalformedJob] = {}
        for item in items:
            if item.job_id is None:
                _log.error(
                    "A claimed job has no id, so that nobody can be told. %s", getattr(item, "reason", "")
                )
            elif item.job_id in chosen or item.job_id in self._active:
                # One claim, one run. A later claim of an id, after its result, is the engine's retry and is run.
                _log.warning("Job %s came twice; it is run once.", item.job_id)
            else:
                chosen[item.job_id] = item
        return list(chosen.values())

    def _claim(self, item: Job | MalformedJob, worker_uuid: str) -> Claim:
        if isinstance(item, MalformedJob):
            return Claim(item.job_id or "", "", worker_uuid, time.time(), "")
        digest = digest_of(item.parameters, self._journal.digest_key)
        return Claim(item.job_id, item.block_id, worker_uuid, time.time(), digest)

    def _unknown(self, block_id: str) -> Verdict:
        return refusals.unknown_block(block_id, tuple(map(str, self._catalogue.problems)))

    async def _refuse(self, job_id: str, number: int, verdict: Verdict) -> None:
        _log.error("Job %s is not run (%s): %s", job_id, verdict.cause, verdict.message)
        await self._report(job_id, number, not_run(verdict))

    def _fill_slots(self) -> None:
        while self._waiting and len(self._tasks) < self._slots:
            claimed = self._waiting.popleft()
            task = self._tasks.start(self._run(claimed), f"job {claimed.job.job_id}")
            task.add_done_callback(self._free_slot)

    def _free_slot(self, _: asyncio.Task[None]) -> None:
        self._fill_slots()
        self.changed.set()

    async def _run(self, claimed: _Claimed) -> None:
        job = claimed.job
        block = self._catalogue.find(job.block_id)
        fingerprint = JobFingerprint(job.block_id, job.job_type, job.entity_id, claimed.digest)
        # A reload begins a new count, to which a job of the old code does not belong.
        quarantine = self._quarantine
        try:
            if block is None:  # it was there when the job came, and the worker was reloaded
                await self._refuse(job.job_id, claimed.number, self._unknown(job.block_id))
                return
            if refusal := self._refusal(claimed, block, fingerprint):
                await self._refuse(job.job_id, claimed.number, refusal)
                return
            _log.info("Job %s starts.", job.job_id, extra={"job": job.job_id, "block": job.block_id})
            try:
                finished = await self._runner.run(job, block)
            except Exception:
                # Not expected, but a job without a result would sit in the engine until that gives it up.
                _log.critical("Job %s met a bug in this worker and was ended.", job.job_id, exc_info=True)
                await self._report(job.job_id, claimed.number, not_run(refusals.worker_error()))
                return
            _count_death(quarantine, fingerprint, finished, self._clock())
            await self._conclude(claimed, finished)
        finally:
            self._active.discard(job.job_id)

    def _refusal(self, claimed: _Claimed, block: BlockEntry, fingerprint: JobFingerprint) -> Verdict | None:
        """Return the verdict of a job that must not be started now, or `None`."""
        now = self._clock()
        limits = limits_for(self._runner.settings, block)
        waited = now - claimed.claimed_at
        if waited + limits.max_seconds + limits.grace_seconds > self._engine_job_timeout:
            return refusals.expired(waited)
        if why := self._quarantine.refusal(fingerprint, now):
            return refusals.quarantined(block.id, why)
        return None

    async def _conclude(self, claimed: _Claimed, finished: Finished) -> None:
        job_id = claimed.job.job_id
        self._tell(claimed.job, finished)
        await self._report(job_id, claimed.number, finished)
        if finished.stuck:
            self._slots -= 1
            _log.critical(
                "Job %s can't be killed (a process of it is stuck in the kernel). Its slot is set aside; %d left.",
                job_id,
                self._slots,
            )

    async def _report(self, job_id: str, number: int, finished: Finished) -> None:
        """Make the result durable, as far as the disk takes it, then hand it to the delivery."""
        text = result_text(job_id, finished, knows_retryable=self._engine.knows_retryable)
        await self._journal.store_result(number, text)
        if result := self._journal.result(number):
            self._delivery.submit(result)

    def _tell(self, job: Job, finished: Finished) -> None:
        verdict = finished.verdict
        extra = {"job": job.job_id, "block": job.block_id}
        seconds = finished.ending.usage.elapsed_seconds
        level = logging.INFO if verdict.success else logging.WARNING
        _log.log(
            level,
            "Job %s: %s (%s) after %.2f s.",
            job.job_id,
            verdict.status,
            verdict.cause,
            seconds,
            extra=extra,
        )
        if verdict.cause not in (Cause.COMPLETED, Cause.BLOCK_FAILED, Cause.BLOCK_RAISED):
            _log.warning("%s", verdict.message, extra=extra)
        if verdict.warning:
            _log.warning("Job %s: %s.", job.job_id, verdict.warning, extra=extra)

    async def wait_until_idle(self) -> None:
        """Wait until no job runs or waits. To be called when nothing is accepted any more."""
        while self.busy:
            self.changed.clear()
            await self.changed.wait()


def _count_death(quarantine: Quarantine, job: JobFingerprint, finished: Finished, at: float) -> None:
    cause = finished.verdict.cause
    how = crash_summary(cause, finished.ending)
    if why := quarantine.ended(job, cause, how, at):
        _log.critical("QUARANTINE begins. %s", refusals.quarantine_text(job.block_id, why))
