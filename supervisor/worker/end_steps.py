"""The steps of a worker's end, each for one of its parts."""

import asyncio
import logging
from typing import Final

from supervisor.log.event import tell
from supervisor.log.events.worker import ResultsLeft
from supervisor.worker.delivery import Delivery
from supervisor.worker.dispatch import Dispatcher
from supervisor.worker.poller import Poller
from supervisor.worker.registration import Registration

_log = logging.getLogger(__name__)

LAST_DELIVERY_SECONDS: Final = 10.0
"""How long the delivery of results at a shutdown may take. The rest waits in the journal for the next start."""


class EndSteps:
    """The steps that `supervisor.worker.shutdown` takes, one after the other: see `Work` there."""

    def __init__(
        self,
        polling: "asyncio.Task[None]",
        reloading: "asyncio.Task[None]",
        poller: Poller,
        dispatcher: Dispatcher,
        delivery: Delivery,
        registration: Registration,
    ) -> None:
        self._polling = polling
        self._reloading = reloading
        self._poller = poller
        self._dispatcher = dispatcher
        self._delivery = delivery
        self._registration = registration
        self.kill_jobs = dispatcher.stop_all

    def stop_polling(self) -> None:
        """Claim no more jobs, and reload no more."""
        self._poller.stop()
        self._reloading.cancel()

    async def wait_for_jobs(self) -> None:
        """Wait until no poll is in flight, and no job runs or waits."""
        # The jobs of a poll in flight are claimed: this waits for them, and they run or are reported like all others.
        await asyncio.wait((self._polling,))
        await self._dispatcher.wait_until_idle()

    async def deliver_rest(self) -> None:
        """Wait until every result is delivered, `LAST_DELIVERY_SECONDS` at most."""
        if not await self._delivery.wait_until_delivered(LAST_DELIVERY_SECONDS):
            tell(_log, ResultsLeft(results=self._delivery.waiting))

    async def unregister(self) -> None:
        """Tell the engine that this worker leaves, unless that lacks results: it would fail their jobs (I8)."""
        await self._registration.end(unregister=not self._delivery.waiting)
