"""The heartbeat: on a fixed beat, from the start to the very end, whatever else goes on."""

import asyncio
import logging

from supervisor.engine.api import EngineApi
from supervisor.errors import EngineError
from supervisor.log.event import tell
from supervisor.log.events.worker import HeartbeatFailing, HeartbeatRestored
from supervisor.worker.registration import Registration

_log = logging.getLogger(__name__)


class Heartbeat:
    """Pings the engine every ``interval_seconds``, counted from the first: being late once shifts nothing."""

    def __init__(self, engine: EngineApi, registration: Registration, interval_seconds: float) -> None:
        self._engine = engine
        self._registration = registration
        self._interval = interval_seconds
        self.problem: str | None = None
        """Why the engine was not reached by the last beat."""

    async def beat_for_ever(self) -> None:
        """Beat until this worker unregisters, or until cancelled."""
        loop = asyncio.get_running_loop()
        pings = self._registration.pings
        due = loop.time()
        try:
            while not self._registration.leaving:
                # A task of its own: an answer that is slow must not delay the next beat.
                pings.start(self._beat(), "beat of the heartbeat")
                due = max(due + self._interval, loop.time())
                await asyncio.sleep(due - loop.time())
        except asyncio.CancelledError:
            pings.cancel()
            raise

    async def _beat(self) -> None:
        uuid = self._registration.uuid
        try:
            async with asyncio.timeout(self._interval):
                known = await self._engine.ping(uuid)
        except (EngineError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            if self.problem is None:
                tell(_log, HeartbeatFailing(reason=reason))
            self.problem = reason
            return
        if self.problem is not None:
            self.problem = None
            tell(_log, HeartbeatRestored())
        if not known:
            await self._registration.renew(uuid)
