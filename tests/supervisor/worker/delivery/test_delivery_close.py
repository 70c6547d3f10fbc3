"""The end of the delivery: it waits for no engine, and sends nothing afterwards."""

import asyncio
from pathlib import Path

import pytest

from supervisor.engine.answering import Answering
from supervisor.engine.backoff import Backoff
from supervisor.errors import EngineError
from supervisor.journal import Ledger, StoredResult
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import Outbox
from tests.patience import PATIENCE_SECONDS, until
from tests.supervisor.journal.journal_support import claim


class HangingEngine:
    """Never answers."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.gave_up = 0

    knows_retryable = False

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        self.got.append(text)
        try:
            await asyncio.Event().wait()
        finally:
            self.gave_up += 1
        return True


class FailingEngine:
    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        self.got.append(text)
        raise EngineError("away")


class SilentEngine:
    """Each request times out."""

    knows_retryable = False

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        raise EngineError("no answer", timed_out=True)


async def stored(ledger: Ledger, job_id: str) -> StoredResult:
    (number,) = await ledger.claim([claim(job_id)])
    await ledger.store_result(number, job_id.encode())
    result = ledger.result(number)
    assert result is not None
    return result


async def test_a_request_that_hangs_does_not_hold_up_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger, engine = await Ledger.open(tmp_path), HangingEngine()
    delivery = Delivery(engine, ledger)
    delivery.submit(await stored(ledger, "a"))
    await until(lambda: engine.got, "it is on its way")
    assert delivery.waiting == 1
    async with asyncio.timeout(PATIENCE_SECONDS):
        await delivery.close()
    assert engine.gave_up == 1, "its end was not waited for"
    assert ledger.known_job_ids() == {"a"}
    assert caplog.records == []
    await ledger.close()


async def test_nothing_is_sent_after_the_end(tmp_path: Path) -> None:
    ledger, engine = await Ledger.open(tmp_path), FailingEngine()
    delivery = Delivery(engine, ledger, Outbox(new_backoff=lambda: Backoff(0.01, 0.01)))
    delivery.submit(await stored(ledger, "a"))
    await until(lambda: len(engine.got) > 1, "it was tried twice")
    timer = delivery._timer
    await delivery.close()
    assert timer is None or timer.cancelled() or timer.when() <= asyncio.get_running_loop().time()
    tries = len(engine.got)
    delivery.submit(await stored(ledger, "b"))
    for _ in range(10):  # so many turns of the loop are more than a task needs to begin
        await asyncio.sleep(0)
    assert len(engine.got) == tries
    await ledger.close()


async def test_the_timer_of_the_next_try_is_cancelled_at_the_end(tmp_path: Path) -> None:
    ledger, engine = await Ledger.open(tmp_path), FailingEngine()
    delivery = Delivery(engine, ledger, Outbox(new_backoff=lambda: Backoff(1000.0, 1000.0)))
    delivery.submit(await stored(ledger, "a"))
    await until(lambda: delivery._timer is not None, "another try is planned")
    timer = delivery._timer
    await delivery.close()
    assert timer is not None
    assert timer.cancelled()
    await ledger.close()


async def test_nobody_is_to_ask_after_the_end_whether_the_engine_answers(tmp_path: Path) -> None:
    ledger, answering = await Ledger.open(tmp_path), Answering()
    delivery = Delivery(SilentEngine(), ledger, answering=answering)
    delivery.submit(await stored(ledger, "a"))
    await until(answering.doubted.is_set, "a try has timed out")
    await delivery.close()
    assert not answering.doubted.is_set()
    await ledger.close()


async def test_waiting_for_the_delivery_ends_in_time_and_says_whether_all_was_delivered(
    tmp_path: Path,
) -> None:
    ledger, engine = await Ledger.open(tmp_path), HangingEngine()
    delivery = Delivery(engine, ledger)
    assert await asyncio.wait_for(delivery.wait_until_delivered(3600), PATIENCE_SECONDS)
    delivery.submit(await stored(ledger, "a"))
    assert not await asyncio.wait_for(delivery.wait_until_delivered(0.01), PATIENCE_SECONDS)
    await delivery.close()
    await ledger.close()
