"""A ledger with a delivery, for tests that play the engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from supervisor.journal import Ledger
from supervisor.worker.delivery import Delivery, ResultSink
from supervisor.worker.outbox import Outbox
from tests.supervisor.journal.journal_support import recover_results

SinkT = TypeVar("SinkT", bound=ResultSink)


class LedgerWithDelivery(Generic[SinkT]):
    """Both, as a worker has them: `begin` and `end` are its start and its stop."""

    def __init__(self, directory: Path, engine: SinkT, new_outbox: Callable[[], Outbox] = Outbox) -> None:
        self.directory = directory
        self.engine = engine
        self._new_outbox = new_outbox
        self.ledger: Ledger
        self.delivery: Delivery

    async def begin(self) -> None:
        self.ledger = await Ledger.open(self.directory)
        self.delivery = Delivery(self.engine, self.ledger, self._new_outbox())
        self.ledger.on_found = lambda: recover_results(self.ledger, self.delivery, knows_retryable=True)
        await self.ledger.on_found()

    async def end(self) -> None:
        await self.delivery.close()
        await self.ledger.close()
