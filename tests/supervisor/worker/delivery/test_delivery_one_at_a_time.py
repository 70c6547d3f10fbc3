"""While the engine is taken for away, one result is sent at a time: each answer, of whatever kind, sends the next."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.engine.backoff import Backoff
from supervisor.errors import EngineError
from supervisor.journal import Ledger
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import AT_ONCE, Outbox
from tests.patience import until
from tests.supervisor.journal.journal_support import claim

JOBS = [str(number) for number in range(AT_ONCE + 2)]


class Engine:
    """Fails until it is given another answer, and counts what is under way."""

    def __init__(self) -> None:
        self.answer: Callable[[], bool] = self.away
        self.tries = 0

    def away(self) -> bool:
        raise EngineError("away")

    knows_retryable = False

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        self.tries += 1
        await asyncio.sleep(0)
        return self.answer()


def taken() -> bool:
    return True


def refused() -> bool:
    raise EngineError("It is not wanted.", status=400, said="not wanted")


@pytest.mark.parametrize("answer", [taken, refused])
async def test_every_answer_sends_the_next_result(tmp_path: Path, answer: Callable[[], bool]) -> None:
    ledger, engine = await Ledger.open(tmp_path), Engine()
    outbox = Outbox(new_backoff=lambda: Backoff(first_seconds=0.02, longest_seconds=0.02))
    delivery = await begin(ledger, engine, outbox)
    engine.answer = answer
    assert await delivery.wait_until_delivered(20)
    assert len(outbox) == 0
    await delivery.close()
    await ledger.close()


async def test_a_result_that_is_given_up_sends_the_next_one_too(tmp_path: Path) -> None:
    ledger, engine = await Ledger.open(tmp_path), Engine()
    outbox = Outbox(new_backoff=lambda: Backoff(first_seconds=0.02, longest_seconds=0.02))
    delivery = await begin(ledger, engine, outbox)
    delivery.supersede(JOBS)
    assert await delivery.wait_until_delivered(20)
    assert len(outbox) == 0
    await delivery.close()
    await ledger.close()


async def begin(ledger: Ledger, engine: Engine, outbox: Outbox) -> Delivery:
    """Submit all results to an engine that is away."""
    delivery = Delivery(engine, ledger, outbox)
    for number, job_id in zip(await ledger.claim([claim(job_id) for job_id in JOBS]), JOBS, strict=True):
        await ledger.store_result(number, job_id.encode())
        result = ledger.result(number)
        assert result is not None
        delivery.submit(result)
    await until(lambda: outbox.is_engine_away, "the engine is taken for away")
    return delivery
