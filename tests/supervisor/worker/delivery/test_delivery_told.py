"""What the operator is told of the delivery, and how the engine's wishes are kept."""

import logging
from pathlib import Path

import pytest

from supervisor.engine.backoff import Backoff
from supervisor.errors import EngineError
from supervisor.journal import Ledger
from supervisor.log.events.results import ResultRefused, ResultsMoving, ResultsWaiting
from supervisor.log.events.worker import TaskFailed
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import Outbox
from tests.log_events import facts_of, records_of, told
from tests.patience import until
from tests.supervisor.journal.journal_support import claim, raw


class Engine:
    """Answers with the errors of the test, one after another, and then takes what comes."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0

    knows_retryable = False

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return True


async def submit(ledger: Ledger, delivery: Delivery, job_id: str) -> int:
    (number,) = await ledger.claim([claim(job_id)])
    await ledger.store_result(number, job_id.encode())
    result = ledger.result(number)
    assert result is not None
    delivery.submit(result)
    return number


def quick() -> Outbox:
    return Outbox(new_backoff=lambda: Backoff(first_seconds=0.01, longest_seconds=0.01))


async def test_an_engine_that_is_away_is_told_once_and_its_return_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "supervisor.worker.delivery")
    ledger, engine = await Ledger.open(tmp_path), Engine(*[EngineError("It is away.")] * 3)
    delivery = Delivery(engine, ledger, quick())
    for job_id in "ab":
        await submit(ledger, delivery, job_id)
        assert await delivery.wait_until_delivered(20)
    records = [record for record in caplog.records if record.name == "supervisor.worker.delivery"]
    assert [(record.levelname, record.event, facts_of(record)) for record in records] == [
        ("WARNING", ResultsWaiting.name, {"reason": "It is away."}),
        ("INFO", ResultsMoving.name, {}),
    ]
    engine.errors.append(EngineError("Away once more."))
    await submit(ledger, delivery, "c")
    assert await delivery.wait_until_delivered(20)
    assert {"reason": "Away once more."} in told(caplog, ResultsWaiting)
    await delivery.close()
    await ledger.close()


async def test_a_refused_result_becomes_a_dead_letter_with_the_engine_s_reason_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger, engine = (
        await Ledger.open(tmp_path),
        Engine(EngineError("It is too long.", status=413, said="too long")),
    )
    delivery = Delivery(engine, ledger, quick())
    number = await submit(ledger, delivery, "a")
    assert await delivery.wait_until_delivered(20)
    assert engine.tries == 2  # once, and what is sent in its place
    (refused,) = records_of(caplog, ResultRefused)
    assert facts_of(refused) == {"job": "a", "reason": "It is too long.", "dead_letter": number}
    assert refused.levelname == "ERROR"
    assert f"`supervisor journal show {number}`" in refused.getMessage()
    await delivery.close()
    await ledger.close()
    assert raw(tmp_path, "SELECT dead_reason FROM claims") == [("It is too long.",)]


async def test_the_engine_s_wish_for_a_pause_is_kept(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    engine = Engine(EngineError("later", status=503, retry_after_seconds=500.0))
    outbox = quick()
    delivery = Delivery(engine, ledger, outbox)
    await submit(ledger, delivery, "a")
    await until(lambda: engine.tries, "it was tried")
    await until(lambda: delivery._timer is not None, "another try is planned")
    due = outbox.next_time()
    assert due is not None
    assert delivery._timer is not None
    assert delivery._timer.when() == due
    loop_now = delivery._timer.when() - 60.0
    assert outbox.take(loop_now) is None
    await delivery.close()
    await ledger.close()


async def test_a_bug_in_the_delivery_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger, engine = await Ledger.open(tmp_path), Engine(RuntimeError("a bug"))
    delivery = Delivery(engine, ledger, quick())
    await submit(ledger, delivery, "a")
    await until(lambda: told(caplog, TaskFailed), "it is told")
    assert caplog.records[-1].exc_info, "a bug is told with the place where it is"
    await delivery.close()
    await ledger.close()


async def test_nothing_is_kept_of_a_result_that_is_settled(tmp_path: Path) -> None:
    """Else a worker that runs for months would grow with each result."""
    ledger, engine = await Ledger.open(tmp_path), Engine(*[EngineError("away")] * 2)
    delivery = Delivery(engine, ledger, quick())
    await submit(ledger, delivery, "lost")
    await until(lambda: engine.tries, "it was tried")
    await submit(ledger, delivery, "old")
    delivery.supersede({"old"})
    assert await delivery.wait_until_delivered(20)
    await until(lambda: not delivery._tasks, "nothing is on its way")
    assert (delivery._ambiguous, delivery._superseded, delivery.waiting) == (set(), set(), 0)
    await delivery.close()
    await ledger.close()
