"""Results on their way to the engine: kept until the engine has them, sent unchanged at every try."""

import asyncio
import logging
from collections.abc import Collection
from typing import Final, Protocol

from supervisor.engine.answering import Answering
from supervisor.engine.error_texts import access_advice
from supervisor.errors import EngineError
from supervisor.job.result import not_run, result_text, status_in
from supervisor.journal import Ledger, StoredResult
from supervisor.log.event import tell
from supervisor.log.events.results import (
    DeadLetterNotTaken,
    FailedResultRefused,
    RefusedAgain,
    ResultArrivedBefore,
    ResultRefused,
    ResultsMoving,
    ResultsNotAllowed,
    ResultsWaiting,
    ResultTooLate,
)
from supervisor.process.tasks import Tasks
from supervisor.verdict.refusals import result_refused
from supervisor.worker.observer import NOBODY, Observer
from supervisor.worker.outbox import LATE_SECONDS, Item, Outbox
from supervisor.worker.result_answers import Meaning, UnclearRefusals, may_have_arrived, meaning_of
from supervisor.worker.waiting_results import WaitingResults

_log = logging.getLogger(__name__)


ENGINE_HAS_ANOTHER: Final = (
    "The engine has a failed result of this job, sent in the place of this one, and keeps it (409)."
)


class ResultSink(Protocol):
    """The part of the engine that takes results."""

    knows_retryable: bool

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        """Deliver one result; with `fresh`, over a new connection.

        Raises `EngineError`; returns whether it was the first one for its job.
        """
        ...


class Delivery:
    """Sends results in the order of `Outbox`, each until the engine has it or refuses it for good."""

    def __init__(
        self,
        engine: ResultSink,
        journal: Ledger,
        outbox: Outbox | None = None,
        answering: Answering | None = None,
        observer: Observer = NOBODY,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._outbox = Outbox() if outbox is None else outbox
        self._answering = answering or Answering()
        self._observer = observer
        self._results = WaitingResults()
        self._sending: dict[int, Item] = {}
        """The results that are on their way now, by number."""
        self._ambiguous: set[int] = set()
        """Results that the engine may already have from a try whose answer did not arrive."""
        self._superseded: set[int] = set()
        """Results of jobs that the engine has handed out again: don't send them any more."""
        self._unclear = UnclearRefusals()
        self._tasks = Tasks()
        self._timer: asyncio.TimerHandle | None = None
        self._late_timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._failing = False
        self._denied = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many results the engine does not have yet."""
        return len(self._results)

    @property
    def is_overfull(self) -> bool:
        """Whether so many results wait that no more jobs should be polled."""
        return self._results.are_too_many

    @property
    def problem(self) -> str | None:
        """Why no jobs are polled, if the reason is the waiting results."""
        return f"it does not take results, and {self.waiting} of them wait." if self.is_overfull else None

    def submit(self, result: StoredResult) -> None:
        """Send `result` until the engine has it or refuses it for good. Returns at once; a second call does nothing."""
        if not self._outbox.add(result.number, len(result.text)):
            return
        self._results.add(result)
        self._observer.result_waits(result.number)
        if result.earlier:
            self._ambiguous.add(result.number)
        self._idle.clear()
        self._send_what_is_due()

    def supersede(self, job_ids: Collection[str]) -> None:
        """Drop earlier results of jobs that have just been claimed again.

        The engine hands a job out again only when its last try is over (engine contract: retries). A result does not
        name its try, so the engine would take an old one for the result of the new try.
        """
        old = self._results.of_jobs(job_ids)
        for number in old:
            self._superseded.add(number)
            self._journal.forget(number)

    async def wait_until_delivered(self, timeout_seconds: float) -> bool:
        """Wait for the delivery of every result. Returns whether all were delivered; the rest stays in the journal."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._idle.wait()
        except TimeoutError:
            pass
        return not self._results

    async def close(self) -> None:
        """Stop sending. Undelivered results stay in the journal."""
        self._closed = True
        for timer in (self._timer, self._late_timer):
            if timer is not None:
                timer.cancel()
        self._answering.trust(self)
        await self._tasks.close()

    def _send_what_is_due(self) -> None:
        if self._closed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while (item := self._outbox.take(loop.time())) is not None:
            self._sending[item.number] = item
            self._try(item)
        due = self._outbox.next_time()
        if due is not None:
            self._timer = loop.call_at(due, self._send_what_is_due)

    def _try(self, item: Item) -> None:
        loop = asyncio.get_running_loop()
        item.sent_at = loop.time()
        item.tries += 1
        work = self._send(item, fresh=item.tries > 1)
        item.on_their_way.add(self._tasks.start(work, f"delivery of result {item.number}"))
        if self._late_timer is None:
            self._late_timer = loop.call_later(LATE_SECONDS / 2, self._look_for_late_ones)

    def _look_for_late_ones(self) -> None:
        self._late_timer = None
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        for item in list(self._sending.values()):
            if not item.is_late(loop.time()):
                continue
            if self._answering.since(item.sent_at):
                self._ambiguous.add(item.number)
                self._try(item)
            else:
                self._answering.doubt(self, self._engine_answers)
        if self._sending and self._late_timer is None:
            self._late_timer = loop.call_later(LATE_SECONDS / 2, self._look_for_late_ones)

    def _engine_answers(self) -> None:
        if self._late_timer is not None:
            self._late_timer.cancel()
        self._look_for_late_ones()
        self._outbox.engine_answers(asyncio.get_running_loop().time())
        self._send_what_is_due()

    async def _send(self, item: Item, *, fresh: bool) -> None:
        result = self._results[item.number]
        if item.number in self._superseded:
            self._settle(item)
            self._outbox.refused(item)  # this says as little about other results
            self._send_what_is_due()
            self._settled(result)
            return
        # Each try has its own time: an answer to the first try says nothing about the second, which was sent later.
        item.sent_at = asyncio.get_running_loop().time()
        try:
            first = await self._engine.push_result(result.text, fresh=fresh)
        except EngineError as error:
            if self._is_final(result, error):
                self._settle(item)
                self._outbox.refused(item)
                self._send_what_is_due()
                await self._refused(result, error)
            else:
                self._failed(item, error)
                self._send_what_is_due()
        else:
            self._settle(item)
            self._outbox.delivered(item)
            self._send_what_is_due()
            await self._delivered(result, first=first)

    def _settle(self, item: Item) -> None:
        """Cancel all other tries: the end of the result is known, or nobody waits for these tries any more."""
        del self._sending[item.number]
        for task in item.on_their_way - {asyncio.current_task()}:
            task.cancel()

    def _is_final(self, result: StoredResult, error: EngineError) -> bool:
        meaning = meaning_of(error.status, error.said, len(result.text))
        if meaning is Meaning.UNCLEAR:
            return self._unclear.is_final(result.number)
        if meaning is Meaning.DENIED and not self._denied:
            self._denied = True
            tell(_log, ResultsNotAllowed(reason=str(error), advice=access_advice(error.status) or ""))
        return meaning is Meaning.REFUSED

    def _failed(self, item: Item, error: EngineError) -> None:
        now = asyncio.get_running_loop().time()
        self._observer.result_try_failed()
        if may_have_arrived(error.status):
            self._ambiguous.add(item.number)
        if not self._failing:
            self._failing = True
            tell(_log, ResultsWaiting(reason=str(error)))
        item.on_their_way = {task for task in item.on_their_way if task is not asyncio.current_task()}
        item.has_failed = True
        if item.on_their_way and not error.timed_out:
            return  # another try is on its way, and its time is limited
        # The try that timed out was sent first. The others would only take the place of another result.
        self._settle(item)
        item.on_their_way = set()
        self._outbox.failed(item, now, error.status, error.retry_after_seconds)
        if error.timed_out:
            self._answering.doubt(self, self._engine_answers)

    async def _delivered(self, result: StoredResult, *, first: bool) -> None:
        if self._failing:
            self._failing = False
            tell(_log, ResultsMoving())
        self._denied = False
        self._unclear.delivered(result.number)
        if not first and result.replaced:
            tell(_log, DeadLetterNotTaken(job=result.job_id, dead_letter=result.number))
            await self._journal.mark_dead(result.number, ENGINE_HAS_ANOTHER)
            self._settled(result)
            return
        if not first and result.number in self._ambiguous:
            tell(_log, ResultArrivedBefore(job=result.job_id))
        elif not first:
            tell(_log, ResultTooLate(job=result.job_id))
        self._journal.forget(result.number)
        self._settled(result)

    async def _refused(self, result: StoredResult, error: EngineError) -> None:
        reason, number = str(error), result.number
        if result.replaces:  # no third result in its place: this would go on for ever
            tell(_log, FailedResultRefused(job=result.job_id, reason=reason, dead_letter=number))
            await self._journal.mark_dead(number, reason)
        elif result.replaced:
            tell(_log, RefusedAgain(job=result.job_id, reason=reason, dead_letter=number))
            await self._journal.mark_dead(number, reason)
        else:
            tell(_log, ResultRefused(job=result.job_id, reason=reason, dead_letter=number))
            await self._replace(result, reason)
        self._settled(result)

    async def _replace(self, result: StoredResult, reason: str) -> None:
        """Send a failed result in place of a refused one, which is kept (I8)."""
        worker = await self._journal.fact("worker_uuid") or "(not registered)"
        verdict = result_refused(status_in(result.text), len(result.text), reason, result.number, worker)
        text = result_text(result.job_id, not_run(verdict), knows_retryable=self._engine.knows_retryable)
        replacement = await self._journal.replace_refused(result.number, reason, text)
        if replacement is None:
            return
        if result.number in self._superseded:  # meanwhile the job was handed out again
            self._journal.forget(replacement.number)
            return
        self.submit(replacement)

    def _settled(self, result: StoredResult) -> None:
        self._observer.result_settled(result.number)
        self._results.remove(result.number)
        self._ambiguous.discard(result.number)
        self._superseded.discard(result.number)
        self._unclear.forget((result.number,))
        if not self._results:
            self._idle.set()
