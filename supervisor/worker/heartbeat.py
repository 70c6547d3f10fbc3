"""The heartbeat: at fixed times, from the start to the very end, whatever else happens."""

import asyncio
import contextlib
import logging
import time
from typing import Final

from supervisor.engine.answering import Answering
from supervisor.engine.api import EngineApi
from supervisor.errors import EngineError
from supervisor.log.event import tell
from supervisor.log.events.worker import HeartbeatFailing, HeartbeatRestored
from supervisor.process.shortage import explain
from supervisor.process.time_limit import time_limit
from supervisor.worker.observer import NOBODY, Observer
from supervisor.worker.registration import Registration

_log = logging.getLogger(__name__)


PROBE_SECONDS: Final = 1.0
"""How often the worker asks the engine for any answer, and how long it waits for each."""

LATE_SECONDS: Final = 15.0
"""A beat that is so late was not only held up: it will never come."""

SHORTAGE_SECONDS: Final = 1.0
"""How long a beat waits for memory, if there was none."""


class Heartbeat:
    """Pings the engine every `interval_seconds`, counted from the first ping: one late ping delays no later one."""

    def __init__(
        self,
        engine: EngineApi,
        registration: Registration,
        interval_seconds: float,
        answering: Answering | None = None,
        observer: Observer = NOBODY,
    ) -> None:
        self._engine = engine
        self._registration = registration
        self._interval = interval_seconds
        self._answering = answering or Answering()
        self._observer = observer
        self.problem: str | None = None
        """Why the last beat did not reach the engine."""
        self.problem_since: float | None = None
        """Since when the engine is not reached, in seconds of the monotonic clock."""
        self._next_beat_at: float | None = None

    @property
    def due_at(self) -> float | None:
        """When the next beat must be on its way at the latest, in seconds of the loop's clock (`worker.progress`)."""
        if self._next_beat_at is None or self._registration.leaving:
            return None
        return self._next_beat_at + LATE_SECONDS

    async def beat_for_ever(self) -> None:
        """Beat until this worker unregisters, or until cancelled."""
        loop = asyncio.get_running_loop()
        pings = self._registration.pings
        due = loop.time()
        try:
            while not self._registration.leaving:
                try:
                    self._observer.beat_sent(loop.time() - due)
                    # A separate task: a slow answer must not delay the next beat.
                    pings.start(self._beat(), "beat of the heartbeat")
                    due = self._next_beat_at = max(due + self._interval, loop.time())
                    await self._wait_until(due)
                except MemoryError as error:  # this passes
                    self._failed(explain(error))
                    await asyncio.sleep(SHORTAGE_SECONDS)
        except asyncio.CancelledError:
            pings.cancel()
            raise

    async def _wait_until(self, due: float) -> None:
        """Wait for the next beat. If somebody doubts that the engine answers, ask it meanwhile."""
        loop = asyncio.get_running_loop()
        while not self._registration.leaving and (left := due - loop.time()) > 0:
            if self._answering.doubted.is_set():
                self._registration.pings.start(self._probe(), "question whether the engine answers")
                await asyncio.sleep(min(left, PROBE_SECONDS))
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._answering.doubted.wait()

    async def _probe(self) -> None:
        """Ping over a new connection, because an old one may hang. Only the beats report a failure."""
        uuid = self._registration.uuid
        with contextlib.suppress(EngineError, TimeoutError, MemoryError):
            async with asyncio.timeout(PROBE_SECONDS):
                await self._engine.ping(uuid, fresh=True)

    async def _beat(self) -> None:
        uuid = self._registration.uuid
        try:
            async with time_limit(self._interval):
                known = await self._engine.ping(uuid)
        except (EngineError, TimeoutError) as error:
            self._failed(str(error) or "no answer in time")
            return
        except MemoryError as error:
            self._failed(explain(error))
            return
        self._observer.beat_answered()
        if self.problem is not None:
            self.problem = self.problem_since = None
            tell(_log, HeartbeatRestored())
        # The next beat tries again: renewals must not queue up if the engine does not take this worker back.
        if not known and not self._registration.is_under_way:
            await self._registration.renew(uuid)

    def _failed(self, reason: str) -> None:
        self._observer.beat_failed()
        if self.problem is None:
            self.problem_since = time.monotonic()
            tell(_log, HeartbeatFailing(reason=reason))
        self.problem = reason
