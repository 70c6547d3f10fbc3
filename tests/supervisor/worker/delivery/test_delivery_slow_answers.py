"""Results that are answered late: the answer to a try says of that try what it says, and not that it was lost."""

import asyncio
from typing import Any

import pytest

from supervisor.engine.answering import Answering
from supervisor.errors import EngineError
from supervisor.journal import StoredResult
from supervisor.log.events.results import ResultArrivedBefore, ResultTooLate
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import AT_ONCE, LATE_SECONDS
from tests.log_events import told
from tests.simulated_time import elapsed, simulate, stand_still

SLOW_SECONDS = 2 * LATE_SECONDS + 1.0
MOMENT = 0.0001


class Ledger:
    """Needs to remember nothing here."""

    def forget(self, number: int) -> None: ...


class SlowEngine:
    """Gives each result the same answer, seconds later; nothing else is answered.

    Some time passes between the beginning of a try and the note of when it was sent, as with a real clock.
    """

    knows_retryable = False

    def __init__(self, answer: bool | EngineError) -> None:
        self.answer = answer
        self.answering = Answering()
        self.tries: list[float] = []
        self.copies = 0

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        stand_still(MOMENT)
        sent = asyncio.get_running_loop().time()
        self.tries.append(elapsed())
        self.copies += fresh
        await asyncio.sleep(SLOW_SECONDS)
        self.answering.answered(sent)
        if isinstance(self.answer, EngineError):
            raise self.answer
        return self.answer


def deliver(engine: SlowEngine, *, results: int, seconds: float) -> None:
    async def life() -> None:
        ledger: Any = Ledger()
        delivery = Delivery(engine, ledger, answering=engine.answering)
        for number in range(results):
            delivery.submit(StoredResult(number, f"job-{number}", b"result"))
        await asyncio.sleep(seconds)
        await delivery.close()

    simulate(life())


def test_a_409_that_comes_late_to_the_only_try_is_another_s_result(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    engine = SlowEngine(answer=False)
    deliver(engine, results=1, seconds=60.0)
    assert told(caplog, ResultTooLate) == [{"job": "job-0"}]
    assert told(caplog, ResultArrivedBefore) == []
    assert len(engine.tries) == 1


def test_a_pause_that_is_asked_for_late_is_kept() -> None:
    engine = SlowEngine(EngineError("Too many.", status=429, retry_after_seconds=30.0))
    deliver(engine, results=1, seconds=300.0)
    first, second, *_ = engine.tries
    assert second - first >= SLOW_SECONDS + 30.0


def test_results_that_were_sent_together_and_are_answered_late_are_sent_once() -> None:
    engine = SlowEngine(answer=True)
    deliver(engine, results=AT_ONCE, seconds=60.0)
    assert len(engine.tries) == AT_ONCE


def test_an_engine_that_fails_slowly_gets_no_copies() -> None:
    engine = SlowEngine(EngineError("It fails.", status=500))
    deliver(engine, results=AT_ONCE, seconds=300.0)
    assert len(engine.tries) > 2 * AT_ONCE, "each is tried again"
    assert engine.copies == 0
