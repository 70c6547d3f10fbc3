"""Results between ledger and engine. The engine is a list of answers; the ledger is a real one."""

import asyncio
import logging
from collections import defaultdict
from pathlib import Path

import pytest

from supervisor.engine.backoff import Backoff
from supervisor.errors import EngineError
from supervisor.journal import Ledger
from supervisor.log.events.results import ResultArrivedBefore, ResultTooLate
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import Item, Outbox
from tests.log_events import facts_of, records_of
from tests.patience import PATIENCE_SECONDS, until
from tests.supervisor.journal.journal_support import claim, raw, recover_results


class Engine:
    """Answers each result with the next of the statuses that were ordered for it, and 201 after them."""

    def __init__(self, **answers: list[int | None]) -> None:
        self.answers = defaultdict(list, {name.encode(): statuses for name, statuses in answers.items()})
        self.got: list[bytes] = []
        self.at_once = self.most_at_once = 0

    knows_retryable = False

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        self.got.append(text)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        status = self.answers[text].pop(0) if self.answers[text] else 201
        if status in (201, 409):
            return status == 201
        raise EngineError(f"answered {status}", status=status, said="words of the engine")


def quick() -> Outbox:
    return Outbox(new_backoff=lambda: Backoff(first_seconds=0.01, longest_seconds=0.02))


class MeasuredOutbox(Outbox):
    """Gives out so many results, and no more before the test says so: no pause can be over too early."""

    def __init__(self, gives: int) -> None:
        super().__init__(new_backoff=lambda: Backoff(first_seconds=0.01, longest_seconds=0.02))
        self.gives = gives

    def take(self, now: float) -> Item | None:
        item = super().take(now) if self.gives else None
        self.gives -= item is not None
        return item

    def next_time(self) -> float | None:
        return super().next_time() if self.gives else asyncio.get_running_loop().time() + 0.01


async def make(ledger: Ledger, *texts: str) -> list[int]:
    numbers = await ledger.claim([claim(text) for text in texts])
    for number, text in zip(numbers, texts, strict=True):
        await ledger.store_result(number, text.encode())
    return numbers


async def deliver(ledger: Ledger, engine: Engine) -> None:
    """Deliver everything that waits."""
    delivery = Delivery(engine, ledger, quick())
    await recover_results(ledger, delivery, knows_retryable=False)
    assert await delivery.wait_until_delivered(PATIENCE_SECONDS)
    await delivery.close()


def conflicts(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """For each result that the engine had already: level, event and job."""
    records = records_of(caplog, ResultArrivedBefore, ResultTooLate)
    return [(record.levelname, record.event, facts_of(record)["job"]) for record in records]


async def test_what_was_delivered_is_forgotten_and_what_was_refused_is_kept(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    await make(ledger, "fine", "refused", "late")
    engine = Engine(refused=[400], late=[503, None, 408, 425, 429, 500])
    await deliver(ledger, engine)
    assert ledger.known_job_ids() == {"refused"}
    await ledger.close()
    assert raw(tmp_path, "SELECT job_id, dead_reason FROM claims") == [("refused", "answered 400")]
    assert engine.got.count(b"late") == 7
    assert engine.got.count(b"refused") == 1


async def test_a_conflict_at_the_first_try_means_that_the_engine_had_given_the_job_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ledger = await Ledger.open(tmp_path)
    await make(ledger, "superseded", "refused_before")
    # A clear no before it changes nothing: the engine can't have got the result from that try.
    await deliver(ledger, Engine(superseded=[409], refused_before=[429, 409]))
    assert sorted(conflicts(caplog)) == [
        ("WARNING", ResultTooLate.name, job_id) for job_id in ("refused_before", "superseded")
    ]
    assert ledger.known_job_ids() == set()
    await ledger.close()


@pytest.mark.parametrize("lost", [None, 500, 502, 504])
async def test_a_conflict_after_a_try_whose_answer_was_lost_is_our_own_delivery(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lost: int | None
) -> None:
    """A lost response is no failure of the job, and no error (I8)."""
    caplog.set_level(logging.INFO)
    ledger = await Ledger.open(tmp_path)
    await make(ledger, "job")
    await deliver(ledger, Engine(job=[lost, 409]))
    assert conflicts(caplog) == [("INFO", ResultArrivedBefore.name, "job")]
    assert ledger.known_job_ids() == set()
    await ledger.close()


async def test_a_conflict_for_a_result_of_an_earlier_run_may_be_that_runs_delivery(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ledger = await Ledger.open(tmp_path)
    await make(ledger, "job")
    await ledger.close()
    again = await Ledger.open(tmp_path)
    await deliver(again, Engine(job=[409]))
    assert conflicts(caplog) == [("INFO", ResultArrivedBefore.name, "job")]
    await again.close()


async def test_a_thousand_results_go_four_at_a_time_in_the_order_in_which_they_were_made(
    tmp_path: Path,
) -> None:
    ledger = await Ledger.open(tmp_path)
    numbers = await ledger.claim([claim(str(number)) for number in range(1000)])
    await asyncio.gather(*(ledger.store_result(number, b"%d" % number) for number in reversed(numbers)))
    engine = Engine()
    await deliver(ledger, engine)
    assert engine.most_at_once == 4
    assert [int(text) for text in engine.got] == sorted(numbers, reverse=True)
    await ledger.close()


async def test_the_same_result_is_sent_once_however_often_the_past_is_asked_for(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    await make(ledger, "a", "b")
    engine = Engine()
    delivery = Delivery(engine, ledger, quick())
    for _ in range(3):
        await recover_results(ledger, delivery, knows_retryable=False)
    assert await delivery.wait_until_delivered(10)
    assert sorted(engine.got) == [b"a", b"b"]
    await delivery.close()
    await ledger.close()


async def test_a_dead_letter_can_be_sent_again_and_arrive(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    engine = Engine(a=[422])
    delivery = Delivery(engine, ledger, quick())
    ledger.on_found = lambda: recover_results(ledger, delivery, knows_retryable=False)
    (number,) = await make(ledger, "a")
    await ledger.on_found()
    await until(lambda: delivery.waiting == 0, "it is refused")
    raw(tmp_path, "UPDATE claims SET dead_reason = NULL WHERE number = ?", number)
    await until(lambda: engine.got.count(b"a") == 2, "it is sent again", PATIENCE_SECONDS)
    await until(lambda: not ledger.known_job_ids(), "it has arrived")
    await delivery.close()
    await ledger.close()


async def test_what_is_not_delivered_at_the_end_stays(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    await make(ledger, "a", "b")
    delivery = Delivery(Engine(a=[503] * 1000, b=[201]), ledger, quick())
    await recover_results(ledger, delivery, knows_retryable=False)
    await until(lambda: delivery.waiting == 1, "the other one is delivered")
    assert not await delivery.wait_until_delivered(0.05)
    assert delivery.waiting == 1
    await delivery.close()
    await ledger.close()
    assert raw(tmp_path, "SELECT job_id, dead_reason FROM claims") == [("a", None)]


async def test_the_result_of_a_try_that_is_over_is_not_sent_for_the_next_one(tmp_path: Path) -> None:
    """I8: it has arrived, its answer was lost, and the engine has handed the same job out again."""
    ledger = await Ledger.open(tmp_path)
    await make(ledger, "again", "other")
    engine, outbox = Engine(again=[None], other=[None]), MeasuredOutbox(gives=2)
    delivery = Delivery(engine, ledger, outbox)
    await recover_results(ledger, delivery, knows_retryable=False)
    await until(lambda: len(engine.got) == 2 and not delivery._tasks, "both were sent once")
    delivery.supersede({"again"})
    outbox.gives = 100
    assert await delivery.wait_until_delivered(PATIENCE_SECONDS)
    assert (engine.got.count(b"again"), engine.got.count(b"other")) == (1, 2)
    assert ledger.known_job_ids() == set()
    await delivery.close()
    await ledger.close()
