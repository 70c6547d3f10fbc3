"""Results of jobs that were claimed again: they are given up, and hold up no other."""

import asyncio
from pathlib import Path

from supervisor.engine.backoff import Backoff
from supervisor.errors import EngineError
from supervisor.journal import Ledger
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import AT_ONCE, Item, Outbox
from tests.patience import until
from tests.supervisor.journal.journal_support import claim

OLD = [f"old {number}" for number in range(AT_ONCE)]


class Engine:
    """Is away until it is told to come back."""

    def __init__(self) -> None:
        self.is_away = True
        self.got: list[bytes] = []
        self.answers = asyncio.Event()
        self.answers.set()

    knows_retryable = False

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        self.got.append(text)
        await self.answers.wait()
        if self.is_away:
            raise EngineError("away")
        return True


class HeldOutbox(Outbox):
    """Gives out nothing until the test lets it."""

    is_held = True

    def take(self, now: float) -> Item | None:
        return None if self.is_held else super().take(now)

    def next_time(self) -> float | None:
        return asyncio.get_running_loop().time() + 0.01 if self.is_held else super().next_time()


def quick() -> Outbox:
    return Outbox(new_backoff=lambda: Backoff(first_seconds=0.02, longest_seconds=0.02))


async def submit(ledger: Ledger, delivery: Delivery, *job_ids: str) -> None:
    numbers = await ledger.claim([claim(job_id) for job_id in job_ids])
    for number, job_id in zip(numbers, job_ids, strict=True):
        await ledger.store_result(number, job_id.encode())
        stored = ledger.result(number)
        assert stored is not None
        delivery.submit(stored)


async def test_the_results_behind_those_that_are_given_up_are_sent(tmp_path: Path) -> None:
    """As many as are sent at a time are given up at once, so that nothing else wakes the delivery."""
    ledger, engine, outbox = await Ledger.open(tmp_path), Engine(), HeldOutbox()
    engine.is_away = False
    delivery = Delivery(engine, ledger, outbox)
    await submit(ledger, delivery, *OLD, "other")
    delivery.supersede(OLD)
    outbox.is_held = False
    assert await delivery.wait_until_delivered(20)
    assert engine.got == [b"other"]
    await delivery.close()
    await ledger.close()


async def test_a_result_that_is_given_up_is_gone_from_the_journal_at_once(tmp_path: Path) -> None:
    ledger, engine = await Ledger.open(tmp_path), Engine()
    delivery = Delivery(engine, ledger, quick())
    await submit(ledger, delivery, "old", "other")
    delivery.supersede({"old"})
    assert ledger.known_job_ids() == {"other"}
    await delivery.close()
    await ledger.close()


async def test_a_result_that_is_given_up_before_it_is_due_is_not_sent(tmp_path: Path) -> None:
    ledger, engine, outbox = await Ledger.open(tmp_path), Engine(), HeldOutbox()
    delivery = Delivery(engine, ledger, outbox)
    await submit(ledger, delivery, "old")
    delivery.supersede({"old"})
    outbox.is_held = False
    await until(lambda: delivery.waiting == 0, "it is given up")
    assert engine.got == []
    await delivery.close()
    await ledger.close()


async def test_a_result_that_is_on_its_way_when_it_is_given_up_is_not_sent_once_more(tmp_path: Path) -> None:
    ledger, engine = await Ledger.open(tmp_path), Engine()
    delivery = Delivery(engine, ledger, quick())
    engine.answers.clear()
    await submit(ledger, delivery, "old")
    await until(lambda: engine.got == [b"old"], "it is on its way")
    delivery.supersede({"old"})
    engine.answers.set()
    assert await delivery.wait_until_delivered(20)
    assert engine.got == [b"old"]
    await delivery.close()
    await ledger.close()
