"""Results that get no answer: sent once more beside the first try, as soon as the engine answers anything else."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from supervisor.engine.answering import Answering
from supervisor.engine.transport import SLOWEST_BYTES_PER_SECOND
from supervisor.errors import EngineError
from supervisor.journal import StoredResult
from supervisor.log.events.results import ResultArrivedBefore, ResultTooLate
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import (
    AT_ONCE,
    LATE_AGAIN_SECONDS,
    LATE_SECONDS,
    LONGEST_PAUSE_SECONDS,
)
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
        self.hanging: set[bytes] = set()
        self.hangs_seconds, self.error = TIME_OUT, EngineError("No answer.", timed_out=True)
        self.is_away = False
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
            if self.is_away:
                raise EngineError("Not now.", status=503)
            if self.hangs or text in self.hanging:
                await asyncio.sleep(self.hangs_seconds)
                raise self.error
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


def test_a_result_that_was_given_up_keeps_none_that_hangs_from_being_sent_again() -> None:
    async def then(scene: Scene) -> None:
        scene.is_away = True
        await asyncio.sleep(0.1)
        scene.delivery.supersede(["job-0"])
        scene.is_away = False
        await asyncio.sleep(60.0)
        assert scene.delivery.waiting == 0
        scene.delivery.submit(StoredResult(1, "job-1", b"another"))
        await asyncio.sleep(6.0)
        scene.hangs = False
        scene.answers_something()
        assert await scene.delivery.wait_until_delivered(1.0)

    assert list(live(then).taken) == [b"another"]


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


def hundred(number: int) -> bytes:
    return bytes(100) + b"%d" % number


def test_four_results_that_are_never_answered_hold_up_no_other_for_longer_than_one_time_out() -> None:
    scene = life_of_four_that_hang(TIME_OUT, EngineError("No answer.", timed_out=True))
    assert set(scene.taken) == {hundred(number) for number in range(AT_ONCE, AT_ONCE + 20)}
    assert max(scene.taken.values()) <= TIME_OUT + 1.0


def test_four_results_that_a_proxy_gives_up_one_after_the_other_hold_up_no_other_for_long() -> None:
    """Each try lives longer than the pause between two: without an end, one would always be on its way."""
    scene = life_of_four_that_hang(10.0, EngineError("The proxy gives up.", status=504))
    assert set(scene.taken) == {hundred(number) for number in range(AT_ONCE, AT_ONCE + 20)}
    assert max(scene.taken.values()) <= 10.0 + TIME_OUT


def test_results_that_hang_are_all_tried_in_turn_and_delivered_once_the_engine_takes_them() -> None:
    async def life() -> Scene:
        scene = Scene()
        scene.hanging = {hundred(number) for number in range(AT_ONCE + 2)}
        for number in range(AT_ONCE + 2):
            scene.delivery.submit(StoredResult(number, f"job-{number}", hundred(number)))
        for second in range(1, 600):
            if second == 300:
                scene.hanging = {hundred(0)}
            await scene.answers_at(float(second))
        await scene.delivery.close()
        return scene

    assert set(simulate(life()).taken) == {hundred(number) for number in range(1, AT_ONCE + 2)}


def life_of_four_that_hang(seconds: float, error: EngineError) -> Scene:
    async def life() -> Scene:
        scene = Scene()
        scene.hangs_seconds, scene.error = seconds, error
        scene.hanging = {hundred(number) for number in range(AT_ONCE)}
        for number in range(AT_ONCE + 20):
            scene.delivery.submit(StoredResult(number, f"job-{number}", hundred(number)))
        for second in range(1, 120):
            await scene.answers_at(float(second))
        await scene.delivery.close()
        return scene

    return simulate(life())


def test_one_result_that_is_never_answered_after_an_outage_holds_up_no_other() -> None:
    async def life() -> Scene:
        scene = Scene()
        scene.is_away = True
        for number in range(AT_ONCE):
            scene.delivery.submit(StoredResult(number, f"job-{number}", hundred(number)))
        await asyncio.sleep(0.1)
        scene.is_away, scene.hanging = False, {hundred(number) for number in range(AT_ONCE)}
        await asyncio.sleep(LONGEST_PAUSE_SECONDS)
        (hanging,) = scene.delivery._sending.values()
        scene.hanging = {hundred(hanging.number)}
        for number in range(AT_ONCE, AT_ONCE + 20):
            scene.delivery.submit(StoredResult(number, f"job-{number}", hundred(number)))
        for second in range(6, 100):
            await scene.answers_at(float(second))
        await scene.delivery.close()
        return scene

    scene = simulate(life())
    assert len(scene.taken) == AT_ONCE + 20 - 1
    assert max(scene.taken.values()) <= LONGEST_PAUSE_SECONDS + TIME_OUT + 1.0
