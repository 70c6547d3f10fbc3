"""Handles what the last run of this worker left in the journal."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from supervisor.engine.backoff import Backoff
from supervisor.engine.items import LostJob
from supervisor.errors import EngineError
from supervisor.job.result import not_run, result_text
from supervisor.journal import Entry, Ledger
from supervisor.lifecycle.interrupted_claims import Fate, judge
from supervisor.log.event import tell
from supervisor.log.events.jobs import JobInterrupted
from supervisor.log.events.state import ClaimOver, ClaimSetAside
from supervisor.process.time_limit import time_limit
from supervisor.verdict import Verdict
from supervisor.verdict.refusals import worker_restarted
from supervisor.worker.delivery import Delivery

_log = logging.getLogger(__name__)

ASK_SECONDS: Final = 10.0
"""How long to ask an engine that does not answer which jobs it has given to a worker."""

AT_ONCE: Final = 500
"""So many results are passed on in one turn of the loop."""


class ClaimSource(Protocol):
    """The part of the engine that knows which jobs a worker has."""

    knows_retryable: bool

    async def claimed_jobs(self, worker_uuid: str) -> list[LostJob]:
        """Return the jobs that a worker has claimed and not reported. Raises `EngineError`."""
        ...


class Recovery:
    """Sends finished results, and decides about claims whose jobs died with an earlier run.

    `clock` gives seconds since the epoch, and is replaced in tests. `on_report` gets each job that is reported as
    interrupted, with its block and its verdict.
    """

    def __init__(
        self,
        journal: Ledger,
        delivery: Delivery,
        engine: ClaimSource,
        engine_job_timeout_seconds: float,
        *,
        clock: Callable[[], float] = time.time,
        on_report: Callable[[str, str | None, Verdict], None] = lambda job_id, block, verdict: None,
    ) -> None:
        self._journal = journal
        self._delivery = delivery
        self._engine = engine
        self._engine_job_timeout = engine_job_timeout_seconds
        self._clock = clock
        self._on_report = on_report
        self._turn = asyncio.Lock()

    async def begin(self) -> None:
        """Recover now, and whenever the journal has found more."""
        self._journal.on_found = self.recover
        await self.recover()

    async def recover(self) -> None:
        """Handle all that is in the journal. Raises no errors of the engine or the disk.

        Also called when the journal has found more. Calls take turns: two at a time could report the same job. And the
        same result is never sent twice at a time.
        """
        async with self._turn:
            await self._recover()

    async def _recover(self) -> None:
        await self._send()
        workers = {entry.claim.worker_uuid for entry in self._journal.interrupted()}
        if workers:
            polled = {worker: await self._polled(worker) for worker in workers} if self._is_sure else {}
            # Read them again: meanwhile the engine may have given some of the jobs out again.
            for entry in self._journal.interrupted():
                await self._decide(entry, polled.get(entry.claim.worker_uuid))
            await self._send()
        await self._journal.settle_doubt()

    @property
    def _is_sure(self) -> bool:
        return self._journal.doubt is None

    async def _send(self) -> None:
        await self._journal.keep_superseded()
        for count, result in enumerate(self._journal.undelivered(), 1):
            self._delivery.submit(result)
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)  # there may be a hundred thousand

    async def _decide(self, entry: Entry, polled: frozenset[str] | None) -> None:
        claim = entry.claim
        judgement = judge(
            doubt=self._journal.doubt,
            is_polled=None if polled is None else claim.job_id in polled,
            age_seconds=self._clock() - claim.claimed_at,
            engine_job_timeout_seconds=self._engine_job_timeout,
        )
        if judgement.fate is Fate.REPORT:
            await self._report(entry)
        elif judgement.fate is Fate.OVER:
            tell(_log, ClaimOver(job=claim.job_id, block=claim.block_id))
            self._journal.forget(entry.number)
        else:
            tell(
                _log,
                ClaimSetAside(
                    job=claim.job_id, block=claim.block_id, claim=entry.number, reason=judgement.reason
                ),
            )
            await self._journal.set_aside([entry.number], judgement.reason)

    async def _report(self, entry: Entry) -> None:
        job_id, block_id = entry.claim.job_id, entry.claim.block_id
        verdict = worker_restarted(block_id)
        told = JobInterrupted(job=job_id, block=block_id, outcome=verdict.status, cause=verdict.cause.value)
        tell(_log, told)
        text = result_text(job_id, not_run(verdict), knows_retryable=self._engine.knows_retryable)
        await self._journal.store_result(entry.number, text)
        self._on_report(job_id, block_id, verdict)

    async def _polled(self, worker_uuid: str) -> frozenset[str] | None:
        """Return which jobs a worker has claimed according to the engine, or `None` if the engine does not answer."""
        backoff = Backoff()
        try:
            async with time_limit(ASK_SECONDS):
                while True:
                    try:
                        claimed = await self._engine.claimed_jobs(worker_uuid)
                    except EngineError as error:
                        if not error.retryable:
                            return None
                        await asyncio.sleep(backoff.next_pause(error.retry_after_seconds))
                    else:
                        return frozenset(job.job_id for job in claimed)
        except TimeoutError:
            return None
