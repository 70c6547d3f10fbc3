"""Polls for jobs: at once while there is work and a free slot, otherwise at longer intervals."""

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.engine.api import EngineApi
from supervisor.engine.arrival import Arrival
from supervisor.engine.backoff import Backoff
from supervisor.engine.error_texts import access_advice
from supervisor.errors import EngineError
from supervisor.log.event import tell
from supervisor.log.events.worker import (
    PollsFailing,
    PollsNotAllowed,
    PollsRestored,
    PollTooLarge,
    PollTruncated,
)
from supervisor.process.shortage import explain
from supervisor.process.tasks import Tasks, done_before
from supervisor.worker.dispatch import Dispatcher
from supervisor.worker.late_poll import LATE_SECONDS, LatePoll
from supervisor.worker.lost_claims import LostClaims, may_have_claimed
from supervisor.worker.observer import NOBODY, Observer
from supervisor.worker.registration import Registration

_log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS: Final = 5.0

TURN_SECONDS: Final = 15.0
"""How long a turn may take at most, without its pause: the answers that it waits for are late after seconds."""

LONGEST_POLL_SECONDS: Final = 45.0
"""How long a late poll may be silent: its time-out of 15 s twice, if the token has changed, and the work after it."""


class Overfull(Protocol):
    """The part of the delivery that says whether too many results wait."""

    @property
    def is_overfull(self) -> bool:
        """Whether no more jobs should be polled."""
        ...


@dataclass(frozen=True, slots=True)
class UnknownWorker:
    """A poll that was answered with 404. `asked_at` is when it was sent, in seconds of the loop's clock."""

    worker_uuid: str
    asked_at: float
    error: EngineError


class Poller:
    """Claims jobs for free slots. It always waits for a poll that was sent: its answer is the claim."""

    def __init__(
        self,
        engine: EngineApi,
        registration: Registration,
        dispatcher: Dispatcher,
        lost_claims: LostClaims,
        interval_seconds: float,
        delivery: Overfull | None = None,
        observer: Observer = NOBODY,
        may_claim: Callable[[], bool] = lambda: True,
        on_turn: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._registration = registration
        self._dispatcher = dispatcher
        self._lost_claims = lost_claims
        self._interval = interval_seconds
        self._stopping = asyncio.Event()
        # Work goes on within seconds of the engine's return, however long it was away.
        self._backoff = Backoff(first_seconds=interval_seconds, longest_seconds=LONGEST_PAUSE_SECONDS)
        self._denied = False
        self.problem: str | None = None
        """Why polls fail; `None` if the engine has answered the last one."""
        self.problem_since: float | None = None
        """Since when polls fail, in seconds of the monotonic clock."""
        self._delivery = delivery
        self._observer = observer
        self._may_claim = may_claim
        """Whether an operator lets the worker poll: see `supervisor.worker.intake`."""
        self._on_turn = on_turn
        """Called at each turn, for other work while the loop is awake."""
        self._arrivals: set[Arrival] = set()
        """The answers of all polls on their way."""
        self._late: set[LatePoll] = set()
        self._turn_due_at: float | None = None
        self._answered_at = -math.inf
        """When the newest answered poll was sent, in seconds of the loop's clock."""
        self._unknown: UnknownWorker | None = None
        self._tasks = Tasks()

    @property
    def asks(self) -> int:
        """How many polls are on their way, or have failed and may have claimed jobs. Each may still bring claims."""
        return len(self._tasks) + self._lost_claims.are_suspected

    @property
    def due_at(self) -> float | None:
        """By when it must have made a turn, or a late poll moved on (`worker.progress`), by the loop's clock."""
        if self._stopping.is_set():
            return None
        late = (poll.moved_at + LONGEST_POLL_SECONDS for poll in self._late)
        return min(late if self._turn_due_at is None else (self._turn_due_at, *late), default=None)

    def stop(self) -> None:
        """Send no more polls. It still waits for those in flight, but not for as long as their answers keep coming."""
        self._stopping.set()
        for arrival in self._arrivals:
            arrival.hurry()
        self._dispatcher.changed.set()  # a pause waits only for this event

    async def poll_until_stopped(self) -> None:
        """Poll. Don't cancel it: call `stop` and await the end, at most one request time-out later."""
        try:
            while not self._stopping.is_set():
                self._on_turn()
                try:
                    await self._poll_or_pause()
                except MemoryError as error:  # this passes, like a shortage of descriptors
                    await self._pause(self._out_of_memory(error), until_slot_is_free=False)
            # Late polls are claims like all others.
            await self._tasks.wait()
            # The last poll may have failed: nobody would ask about its jobs later.
            await self._lost_claims.look(self._registration.uuid, last=True)
        finally:
            await self._tasks.close()

    async def _poll_or_pause(self) -> None:
        if self._unknown is not None:
            unknown, self._unknown = self._unknown, None
            await self._pause(await self._renew(unknown), until_slot_is_free=self.problem is None)
            return
        self._turn_due_at = asyncio.get_running_loop().time() + TURN_SECONDS
        if not self._late:  # otherwise the late poll's jobs would look lost
            await self._lost_claims.look(self._registration.uuid)
        if self._stopping.is_set():
            return
        self._dispatcher.changed.clear()
        covered = sum(poll.covers for poll in self._late)
        free = self._dispatcher.free_slots - covered
        blocks, limit = self._dispatcher.to_ask_for(self._registration.accepted, free, covered)
        is_held_back = self._delivery is not None and self._delivery.is_overfull
        if limit <= 0 or is_held_back or not self._may_claim() or not blocks:
            await self._pause(self._interval, until_slot_is_free=True)
            return
        pause = await self._poll_once(tuple(blocks), limit)
        if pause > 0:
            # A free slot is a reason to poll at once; after an engine's failure it is not.
            await self._pause(pause, until_slot_is_free=self.problem is None)

    async def _poll_once(self, blocks: tuple[BlockEntry, ...], limit: int) -> float:
        """Poll, and return how long to wait before the next poll. A late poll goes on beside the next one."""
        arrival = Arrival()
        self._arrivals.add(arrival)
        asking = self._tasks.start(self._ask(blocks, limit, arrival), "poll")
        asking.add_done_callback(lambda _: self._arrivals.discard(arrival))
        await asyncio.wait((asking,), timeout=LATE_SECONDS)
        if asking.done():
            return asking.result()
        late = LatePoll(asking, limit, arrival)
        self._late.add(late)
        asking.add_done_callback(lambda _: self._is_late_no_more(late))
        watch = late.find_out(self._engine, self._dispatcher, lambda: self._registration.uuid)
        self._tasks.start(watch, "watch over a late poll")
        return self._interval

    def _is_late_no_more(self, poll: LatePoll) -> None:
        self._late.discard(poll)
        self._dispatcher.changed.set()

    async def _ask(self, blocks: tuple[BlockEntry, ...], limit: int, arrival: Arrival) -> float:
        uuid, clock = self._registration.uuid, asyncio.get_running_loop().time
        asked_at = clock()
        try:
            poll = await self._engine.poll(uuid, blocks, limit, arrival)
            self._recovered(asked_at)
            if len(poll.jobs) > limit:
                tell(_log, PollTooLarge(jobs=len(poll.jobs), slots=limit))
            await self._dispatcher.accept(poll.jobs, uuid, limit, clock() - asked_at)
            if not poll.complete:
                tell(_log, PollTruncated(jobs=len(poll.jobs)))
                self._lost_claims.suspect()
        except EngineError as error:
            if error.status == 404:
                # The next turn handles it: this poll is over, and claims nothing.
                self._unknown = UnknownWorker(uuid, asked_at, error)
                return 0.0
            if may_have_claimed(error):
                self._lost_claims.suspect()
            return self._failed(error, asked_at)
        except MemoryError as error:
            return self._out_of_memory(error, asked_at)
        return 0.0 if poll.jobs else self._interval * random.uniform(0.9, 1.1)  # noqa: S311  # spread, not secrecy

    async def _renew(self, unknown: UnknownWorker) -> float:
        """Register again, and return how long to wait before the next poll. No poll is sent meanwhile.

        It ends at the latest when the worker stops: an engine that is away must not hold up the worker's end.
        """
        self._turn_due_at = None  # this may take as long as the engine is away
        uuid = unknown.worker_uuid
        ended = await done_before(self._registration.renew(uuid), self._stopping)
        if ended and self._registration.uuid == uuid:
            # The engine knows this worker: the 404 came from something else, such as a proxy, or was not about it.
            return self._failed(unknown.error, unknown.asked_at)
        return self._interval

    def _out_of_memory(self, error: MemoryError, asked_at: float = math.inf) -> float:
        # The answer may have come, and found no memory: its jobs are claimed.
        self._lost_claims.suspect()
        return self._failed(EngineError(explain(error)), asked_at)

    def _failed(self, error: EngineError, asked_at: float) -> float:
        self._observer.poll_failed()
        if asked_at < self._answered_at:
            # The engine has answered a later poll. This one alone was lost, or its answer is unusable, which is logged.
            if error.status is not None and self.problem is None:
                tell(_log, PollsFailing(reason=str(error)))
                tell(_log, PollsRestored())
            return self._interval
        pause = self._backoff.next_pause(error.retry_after_seconds)
        if error.timed_out:  # the time-out was a pause already
            pause = min(pause, self._interval)
        if self.problem is None:
            self.problem_since = time.monotonic()
            tell(_log, PollsFailing(reason=str(error)))
        self.problem = str(error)
        if not self._denied and (advice := access_advice(error.status)):
            self._denied = True
            tell(_log, PollsNotAllowed(reason=str(error), advice=advice))
        return pause

    def _recovered(self, asked_at: float) -> None:
        self._observer.poll_answered()
        self._answered_at = max(self._answered_at, asked_at)
        self._backoff.reset()
        self._denied = False
        if self.problem is not None:
            self.problem = self.problem_since = None
            tell(_log, PollsRestored())

    async def _pause(self, seconds: float, *, until_slot_is_free: bool) -> None:
        """Wait, but not longer than until the worker stops (or until a slot is free, if wanted)."""
        if self._stopping.is_set():
            return
        self._turn_due_at = asyncio.get_running_loop().time() + seconds + TURN_SECONDS
        if not until_slot_is_free:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopping.wait()
            return
        # One event, and not the first of several: that would cost tasks and turns of the loop for each job. The timer
        # sets it too: an idle worker comes here each second, and a time-out would cancel this task, and raise twice.
        changed = self._dispatcher.changed
        timer = asyncio.get_running_loop().call_later(seconds, changed.set)
        try:
            await changed.wait()
        finally:
            timer.cancel()
