"""Results that get no answer: sent once more beside the first try, as soon as the engine answers anything else."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from supervisor.engine.answering import Answering
from supervisor.errors import EngineError
from supervisor.journal import StoredResult
from supervisor.log.events.results import ResultArrivedBefore, ResultTooLate
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import LATE_AGAIN_SECONDS, LATE_SECONDS, SLOWEST_BYTES_PER_SECOND
from tests.log_events import told
from tests.simulated_time import elapsed, simulate, turns

TIME_OUT = 30.0


class Ledger:
    """Forgets what it is told to."""

    def __init__(self) -> None:
        self.forgotten: list[int] = []

    def forget(self, number: int) -> None:
        self.forgotten.append(number)


class Scene:
    """An engine that keeps the first result of a job; a try hangs while `hangs` is true, and is lost then."""

    knows_retryable = False

    def __init__(self) -> None:
        self.hangs = False
        self.slow_seconds = 0.0
        self.tries: list[tuple[float, bool]] = []
        self.given_up = 0
        self.taken: dict[bytes, float] = {}
        self.answering = Answering()
        self.ledger: Any = Ledger()
        self.delivery = Delivery(self, self.ledger, answering=self.answering)

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        sent = elapsed()
        self.tries.append((sent, fresh))
        try:
            if self.hangs:
                await asyncio.sleep(TIME_OUT)
                raise EngineError("No answer.", timed_out=True)
            await asyncio.sleep(self.slow_seconds)
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        self.answering.answered(asyncio.get_running_loop().time() - elapsed() + sent)
        first = text not in self.taken
        self.taken.setdefault(text, elapsed())
        return first

    def answers_something(self) -> None:
        self.answering.answered(asyncio.get_running_loop().time())

    async def answers_at(self, seconds: float) -> None:
        await asyncio.sleep(seconds - elapsed())
        self.answers_something()


def live(then: Callable[[Scene], Awaitable[None]], *sizes: int) -> Scene:
    async def life() -> Scene:
        scene = Scene()
        scene.hangs = True
        for number, size in enumerate(sizes or (100,)):
            scene.delivery.submit(StoredResult(number, f"job-{number}", bytes(size) + b"%d" % number))
        await then(scene)
        await scene.delivery.close()
        return scene

    return simulate(life())


def test_it_is_sent_again_on_a_new_connection_as_soon_as_the_engine_answers_anything() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(6.0)
        scene.hangs = False
        await scene.answers_at(6.5)
        assert await scene.delivery.wait_until_delivered(1.0)

    scene = live(then)
    assert [fresh for _, fresh in scene.tries] == [False, True]
    assert list(scene.taken.values()) == [pytest.approx(6.5)]
    assert scene.given_up == 1, "the first try is over as well"


def test_while_nothing_is_answered_it_is_not_sent_again_but_somebody_is_asked() -> None:
    async def then(scene: Scene) -> None:
        assert not scene.answering.doubted.is_set()
        await asyncio.sleep(LATE_SECONDS + 1.5)
        assert scene.answering.doubted.is_set()
        await asyncio.sleep(20.0)

    assert len(live(then).tries) == 1


def test_an_answer_to_an_earlier_request_tells_nothing() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(10.0)
        scene.answering.answered(asyncio.get_running_loop().time() - 11.0)
        await asyncio.sleep(5.0)
        assert scene.answering.doubted.is_set(), "it is still waited for"

    assert len(live(then).tries) == 1


def test_where_only_results_hang_it_is_tried_every_few_seconds() -> None:
    async def then(scene: Scene) -> None:
        for second in range(1, 12):
            await scene.answers_at(float(second))
        scene.hangs = False
        for second in range(12, 18):
            await scene.answers_at(float(second))

    scene = live(then)
    at = [seconds for seconds, _ in scene.tries]
    assert all(later - earlier <= LATE_AGAIN_SECONDS + 1.1 for earlier, later in itertools.pairwise(at))
    assert next(iter(scene.taken.values())) <= 16.0


def test_an_engine_that_is_only_slow_gets_few_of_the_same_and_its_first_answer_counts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def life() -> Scene:
        scene = Scene()
        scene.slow_seconds = 10.0
        scene.delivery.submit(StoredResult(1, "job", b"text"))
        for second in range(1, 12):
            await scene.answers_at(float(second))
        await scene.delivery.close()
        return scene

    scene = simulate(life())
    assert list(scene.taken.values()) == [10.0]
    assert 2 <= len(scene.tries) <= 3
    assert scene.ledger.forgotten == [1], "delivered once"
    assert told(caplog, ResultTooLate) == []


def test_a_409_after_a_try_without_an_answer_is_our_own_delivery(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def then(scene: Scene) -> None:
        await asyncio.sleep(5.0)
        scene.taken[bytes(100) + b"0"] = elapsed()  # it had arrived
        scene.hangs = False
        scene.answers_something()
        assert await scene.delivery.wait_until_delivered(1.0)

    live(then)
    assert len(told(caplog, ResultArrivedBefore)) == 1
    assert told(caplog, ResultTooLate) == []


def test_a_large_result_may_take_its_time() -> None:
    async def then(scene: Scene) -> None:
        for second in range(1, 9):
            await scene.answers_at(float(second))

    assert len(live(then, 8 * SLOWEST_BYTES_PER_SECOND).tries) == 1


def test_after_a_time_out_a_pause_ends_with_the_engine_s_first_answer() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(TIME_OUT + 0.01)
        assert len(scene.tries) == 4
        scene.hangs = False
        scene.answers_something()
        await turns(20)
        assert len(scene.taken) >= 1, "at once"

    live(then, 1, 2, 3, 4)


def test_nothing_is_left_of_tries_that_are_over() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(5.0)
        scene.hangs = False
        scene.answers_something()
        assert await scene.delivery.wait_until_delivered(1.0)
        await asyncio.sleep(5.0)
        assert (scene.delivery._sending, len(scene.delivery._tasks), scene.delivery._late_timer) == (
            {},
            0,
            None,
        )

    live(then, 1, 2, 3)
