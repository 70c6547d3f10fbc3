"""Claimed jobs: into the journal, into a slot, and to their result."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from jobrunner.protocol.catalogue import BlockEntry, Catalogue
from supervisor.engine.items import LostJob, MalformedJob
from supervisor.job.job import Job, limits_for
from supervisor.job.result import Finished, not_run
from supervisor.job.runner import JobRunner
from supervisor.journal import Ledger
from supervisor.lifecycle.quarantine import JobFingerprint, Quarantine
from supervisor.log.event import tell
from supervisor.log.events.jobs import JobStuck, JobUnstuck
from supervisor.process.tasks import Tasks
from supervisor.verdict import Verdict, refusals
from supervisor.worker.claimed_jobs import ClaimedJob, OpenJobs, claim_of, without_repeats
from supervisor.worker.delivery import Delivery
from supervisor.worker.ending_jobs import EndingJobs
from supervisor.worker.job_records import JobRecords
from supervisor.worker.observer import NOBODY, Observer
from supervisor.worker.reporting import EngineTraits, Refused, Reporting, count_death, tell_bug, tell_end
from supervisor.worker.running_jobs import RunningJobs
from supervisor.worker.slots import Slots, WaitingJobs

_log = logging.getLogger(__name__)


class Dispatcher:
    """Keeps the slots. A slot is free when its job's result is stored and its directory gone. `clock` is monotonic."""

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
        observer: Observer = NOBODY,
        records: JobRecords | None = None,
    ) -> None:
        self.changed = asyncio.Event()
        """Set whenever a slot is free, or soon will be. The poller also sets it to stop."""
        self.records = records or JobRecords()
        self.running_jobs = RunningJobs(lambda job_id: runner.view(job_id), clock)
        self._runner = runner
        self._journal = journal
        self._delivery = delivery
        self.catalogue = catalogue
        """The blocks in force."""
        self._slots = Slots(slots)
        self._engine_job_timeout = engine_job_timeout_seconds
        self._clock = clock
        self._observer = observer
        self._quarantine, self._open_jobs = Quarantine(), OpenJobs()
        self._reporting = Reporting(journal, delivery, engine, self._open_jobs, observer, self.records)
        self._refuse = self._reporting.refuse
        self._waiting = WaitingJobs(catalogue, self._expire)
        self._ending = EndingJobs(self._waiting, self.changed, clock)
        self._tasks, self._refusing = Tasks(), Tasks()

    @property
    def free_slots(self) -> int:
        """How many more jobs can be started now, or soon: there must be slots, and children for them."""
        free = max(0, self._slots.count - len(self._tasks) - self._waiting.wanting_a_slot + len(self._ending))
        room = self._runner.room
        return free if room is None else min(free, room)

    @property
    def slots(self) -> int:
        """How many slots there are, without those that are set aside."""
        return self._slots.count

    @property
    def busy(self) -> int:
        """How many jobs run or wait."""
        return len(self._tasks) + len(self._waiting) + len(self._refusing)

    @property
    def slots_taken(self) -> int:
        """How many slots have a job, without those that are set aside."""
        return len(self._tasks)

    def offer(self, catalogue: Catalogue) -> None:
        """From now on, run the blocks of this catalogue. Blocks that killed their process may be corrected in it."""
        self.catalogue = catalogue
        self._quarantine = Quarantine()
        self._waiting.offer(catalogue)
        self._fill_slots()

    def to_ask_for(
        self, blocks: Sequence[BlockEntry], free: int, covered: int
    ) -> tuple[Sequence[BlockEntry], int]:
        """Return which of these blocks a poll may ask for, and for how many jobs (`lifecycle.block_slots`)."""
        return self._waiting.to_ask_for(blocks, free, covered)

    async def accept(
        self, items: Sequence[Job | MalformedJob], worker_uuid: str, limit: int, arrival_seconds: float = 0.0
    ) -> None:
        """Take over the claims of a poll for `limit` jobs. A job that can't run gets a result: never fails."""
        self._ending.polled(len(items), limit)
        jobs = without_repeats(items, self.running_jobs)
        self._delivery.supersede({item.job_id for item in jobs if item.job_id is not None})
        claims = [claim_of(item, worker_uuid, self._journal.digest_key) for item in jobs]
        # Nothing here waits for the disk. A job waits before it may begin, and a result before it is sent.
        numbers, saving = self._journal.begin_to_claim(claims)
        self._observer.claimed(len(jobs))
        now = self._clock()
        refused: list[Refused] = []
        for item, claim, number in zip(jobs, claims, numbers, strict=True):
            if isinstance(item, MalformedJob):
                refused.append((claim.job_id, None, number, refusals.malformed_job(item.reason)))
            elif isinstance(unknown := self._offered(item.block_id), Verdict):
                refused.append((item.job_id, item.block_id, number, unknown))
            else:
                claimed = ClaimedJob(item, claim, number, now, saving, arrival_seconds)
                self.running_jobs.enter(claimed)
                self._open_jobs.enter(item.job_id)
                self._waiting.append(claimed)
        self._fill_slots()
        for claimed in self._waiting:
            if block := self.catalogue.find(claimed.job.block_id):
                self._waiting.must_begin_within(claimed, self._longest_wait(claimed, block))
        await self._reporting.refuse_all(refused)

    @property
    def known_job_ids(self) -> frozenset[str]:
        """The jobs of this worker, and those whose results the engine does not have yet."""
        return frozenset(self._journal.known_job_ids())

    def cancel(self, job_id: str) -> "asyncio.Future[Verdict] | None":
        """Cancel a job that waits or runs. Returns its future verdict. A job that is ending may get another verdict.

        `None` if there is no such job, or if its verdict is final. Nothing depends on whether the caller awaits it.
        """
        if job_id not in self._open_jobs:
            return None
        claimed = next((each for each in self._waiting if each.job.job_id == job_id), None)
        if claimed is None:
            self._runner.cancel(job_id)
        else:
            self._waiting.remove(claimed)
            self._refuse_later(claimed, refusals.cancelled())
        return self._open_jobs.verdict_of(job_id)

    def stop_all(self) -> None:
        """End every running job now, and refuse those that wait: there may never be a slot for them."""
        self._runner.stop_all()
        for claimed in tuple(self._waiting):
            self._waiting.remove(claimed)
            self._refuse_later(claimed, refusals.worker_stopping())

    async def report_lost(
        self, jobs: Sequence[LostJob], worker_uuid: str, *, by_the_last_run: bool = False
    ) -> None:
        """Report jobs as failed that the engine gave to this worker but that did not arrive: see `Reporting.lost`."""
        await self._reporting.lost(jobs, worker_uuid, by_the_last_run=by_the_last_run)

    def _offered(self, block_id: str) -> BlockEntry | Verdict:
        found = self.catalogue.find(block_id)
        return found or refusals.unknown_block(block_id, tuple(map(str, self.catalogue.not_imported)))

    def _fill_slots(self) -> None:
        while len(self._tasks) < self._slots.count and (claimed := self._waiting.take()):
            task = self._tasks.start(self._run(claimed), f"job {claimed.job.job_id}")
            task.add_done_callback(lambda _: self._fill_slots())

    def _foresee(self, claimed: ClaimedJob, finished: Finished) -> None:
        self._reporting.foresee(claimed.job.job_id, claimed.number, finished)
        self._ending.enter(claimed)

    def _longest_wait(self, claimed: ClaimedJob, block: BlockEntry) -> float:
        limits = limits_for(self._runner.settings, block)
        left = self._engine_job_timeout - claimed.arrival_seconds  # the engine counts from its claim
        return left - limits.max_seconds - limits.grace_seconds

    def _expire(self, claimed: ClaimedJob) -> None:
        self._refuse_later(claimed, claimed.expired(self._clock(), self._waiting.full_for(claimed)))

    def _refuse_later(self, claimed: ClaimedJob, verdict: Verdict) -> None:
        """Refuse a job that does not wait any more."""
        refusal = self._refuse_waiting(claimed, verdict)
        refusing = self._refusing.start(refusal, f"refusal of job {claimed.job.job_id}")
        refusing.add_done_callback(lambda _: self.changed.set())

    async def _refuse_waiting(self, claimed: ClaimedJob, verdict: Verdict) -> None:
        try:
            await self._refuse(claimed.job.job_id, claimed.job.block_id, claimed.number, verdict)
        finally:
            self._leave(claimed)

    async def _run(self, claimed: ClaimedJob) -> None:
        slot = claimed.slot = self._slots.take()
        is_stuck = False
        try:
            is_stuck = await self._run_in(slot, claimed)
        finally:
            self._leave(claimed)
            if not is_stuck:
                self._slots.give_back(slot)
            # With the end of this task, not a turn of the loop later: a poll in between would count the slot twice.
            self._waiting.ended(claimed)
            self._ending.leave(claimed)

    def _reported(self, claimed: ClaimedJob) -> None:
        """Forget everything under this job id: the engine may hand it out again before this try is cleaned up."""
        if not claimed.is_reported:
            claimed.is_reported = True
            self._open_jobs.leave(claimed.job.job_id)
            self._runner.forget(claimed.job.job_id)

    def _leave(self, claimed: ClaimedJob) -> None:
        self._reported(claimed)
        self.running_jobs.leave(claimed)

    async def _run_in(self, slot: int, claimed: ClaimedJob) -> bool:
        """Run a job and make its result durable. Returns whether its slot can't be used again."""
        job, slot_at = claimed.job, self._clock()
        self._observer.queued(slot_at - claimed.waits_since)

        def started(pid: int) -> None:
            claimed.start(pid, now := self._clock())
            self._observer.started(now - slot_at)
            self.records.started(claimed, slot, pid)

        block = self._offered(job.block_id)
        fingerprint = JobFingerprint(job.block_id, job.job_type, job.entity_id, claimed.claim.digest)
        # A reload begins a new count. A job of the old code does not belong to it.
        quarantine = self._quarantine
        if isinstance(block, Verdict):  # the worker was reloaded after the job came
            await self._refuse(job.job_id, job.block_id, claimed.number, block)
            return False
        if refusal := self._refusal(claimed, block, fingerprint):
            await self._refuse(job.job_id, job.block_id, claimed.number, refusal)
            return False
        limit_seconds = limits_for(self._runner.settings, block).max_seconds  # read now: a reload changes it
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.records.begin(claimed)
        try:
            finished = await self._runner.run(
                job,
                block,
                on_start=started,
                on_gone=lambda: gone.set_result(None),
                on_line=claimed.log.take,
                before_begin=claimed.saving.wait,
                on_outcome=partial(self._foresee, claimed),
                offered=partial(self._offered, job.block_id),
            )
        except Exception:
            # Unexpected. But without a result, the engine would wait for the job until it gives it up.
            finished = not_run(refusals.worker_error())
            told = tell_bug(job, finished.verdict, self._clock() - slot_at)
        else:
            told = ()
            count_death(quarantine, fingerprint, finished, self._clock())
        self._observer.ended(job.block_id, finished)
        await self._reporting.report(job.job_id, claimed.number, finished)
        self._reported(claimed)
        tell_later = partial(tell_end, job, finished, slot, claimed.pid, limit_seconds)
        await self.records.end(claimed, finished, told or tell_later)
        if not finished.stuck:
            # Only its own slot waits for the removal of what it has left on the disk.
            await self._runner.wait_until_tidy(job.job_id)
            return False
        self._slots.set_aside()
        if not finished.ending.leftovers_unsearched:  # otherwise it was logged, and is most likely not stuck
            tell(_log, JobStuck(job=job.job_id, block=job.block_id, slots_left=self.slots))
        gone.add_done_callback(lambda _: self._take_up(slot, job))
        return True

    def _take_up(self, slot: int, job: Job) -> None:
        """Use a slot again that was set aside."""
        self._slots.take_up(slot)
        tell(_log, JobUnstuck(job=job.job_id, block=job.block_id, slots=self.slots))
        self._fill_slots()
        self.changed.set()

    def _refusal(self, claimed: ClaimedJob, block: BlockEntry, fingerprint: JobFingerprint) -> Verdict | None:
        """Return the verdict of a job that must not be started now, or `None`."""
        now = self._clock()
        if now - claimed.waits_since > self._longest_wait(claimed, block):
            return claimed.expired(now)
        if why := self._quarantine.refusal(fingerprint, now):
            return refusals.quarantined(block.id, why)
        return None

    async def wait_until_idle(self) -> None:
        """Wait until no job runs or waits. Call it when no more jobs are accepted."""
        self._ending.close()
        while self.busy:
            self.changed.clear()
            await self.changed.wait()
