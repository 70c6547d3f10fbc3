"""When a part of the worker is late: never while an engine is away or a start fails, always when it is wedged.

Time is simulated.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from supervisor.engine import Poll
from supervisor.errors import EngineError, LaunchError
from supervisor.journal import StoredResult
from supervisor.launcher.spare_pool import SparePool
from supervisor.worker.delivery import Delivery
from supervisor.worker.outbox import Outbox
from supervisor.worker.poller import Poller
from supervisor.worker.progress import Moves
from tests.programs.fuzz.fakes import block_entry
from tests.simulated_time import simulate

FORTY_MINUTES = 2400.0
FEW_MINUTES = 300.0
AWAY = EngineError("No answer.", timed_out=True)


async def lateness(part: Moves, seconds: float) -> float:
    """For how long this part was late, as seen by a look each second."""
    loop, late = asyncio.get_running_loop(), 0
    end = loop.time() + seconds
    while loop.time() < end:
        late += part.due_at is not None and part.due_at < loop.time()
        await asyncio.sleep(1)
    return late


def beside(work: Coroutine[Any, Any, Any], part: Moves, seconds: float) -> Coroutine[Any, Any, float]:
    async def both() -> float:
        task = asyncio.ensure_future(work)
        try:
            return await lateness(part, seconds)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return both()


class Engine:
    """Engine, registration, dispatcher, lost claims and journal in one. `wedged`: which call never comes back."""

    uuid, accepted, free_slots, knows_retryable = "w-1", [block_entry()], 1, False

    def __init__(self, wedged: str = "", error: EngineError | None = None) -> None:
        self.changed = asyncio.Event()
        self.wedged, self.error = wedged, error

    async def _call(self, name: str) -> None:
        if name == self.wedged:
            await asyncio.get_running_loop().create_future()

    def to_ask_for(self, blocks: Any, free: int, covered: int) -> tuple[Any, int]:
        return blocks, free

    async def poll(self, *_: Any) -> Poll:
        if self.error is not None:
            await asyncio.sleep(15 if self.error.timed_out else 0.1)
            raise self.error
        return Poll(())

    async def poll_nothing(self, *_: Any) -> None:
        await self.poll()

    async def claimed_jobs(self, *_: Any) -> list[Any]:
        await self.poll()
        return []

    async def accept(self, *_: Any) -> None:
        await self._call("accept")

    async def look(self, _: str, *, last: bool = False) -> None:
        await self._call("look")

    def suspect(self) -> None:
        pass

    async def renew(self, _: str) -> None:
        await asyncio.get_running_loop().create_future()  # for as long as the engine is away

    async def push_result(self, text: bytes, *, fresh: bool = False) -> bool:
        await self._call("push_result")
        if self.error is not None:
            await asyncio.sleep(30)
            raise self.error
        return True

    def forget(self, number: int) -> None:
        pass


def polling(**engine: Any) -> float:
    async def life() -> float:
        part: Any = Engine(**engine)
        poller = Poller(part, part, part, part, 1.0)
        seconds = FEW_MINUTES if engine.get("wedged") else FORTY_MINUTES
        return await beside(poller.poll_until_stopped(), poller, seconds)

    return simulate(life())


def test_a_poller_is_on_time_with_an_engine_that_answers_is_away_asks_to_wait_or_forgets_the_worker() -> None:
    assert polling() == 0
    assert polling(error=AWAY) == 0
    assert polling(error=EngineError("Busy.", status=503, retry_after_seconds=1200.0)) == 0
    assert polling(error=EngineError("Who?", status=404)) == 0


def test_a_poller_that_is_wedged_between_two_polls_or_with_an_answer_in_its_hand_is_late() -> None:
    assert polling(wedged="look") > FEW_MINUTES - 30
    assert polling(wedged="accept") > FEW_MINUTES - 60


def test_a_poller_that_was_told_to_stop_is_never_late() -> None:
    async def life() -> float:
        part: Any = Engine(wedged="look")
        poller = Poller(part, part, part, part, 1.0)
        poller.stop()
        return await beside(poller.poll_until_stopped(), poller, FEW_MINUTES)

    assert simulate(life()) == 0


def delivering(seconds: float, **engine: Any) -> float:
    async def life() -> float:
        part: Any = Engine(**engine)
        outbox = Outbox(longest_try_seconds=75.0)
        delivery = Delivery(part, part, outbox)
        assert outbox.due_at is None, "nothing is to be sent"
        for number in range(6):
            delivery.submit(StoredResult(number, f"job-{number}", b"%d" % number))
        try:
            return await lateness(outbox, seconds)
        finally:
            await delivery.close()

    return simulate(life())


def test_results_that_an_engine_does_not_take_for_long_are_not_late() -> None:
    assert delivering(FORTY_MINUTES, error=AWAY) == 0
    assert delivering(FORTY_MINUTES, error=EngineError("Busy.", status=503, retry_after_seconds=1200.0)) == 0
    assert delivering(60.0) == 0


def test_a_delivery_that_is_wedged_in_a_try_is_late() -> None:
    assert delivering(FEW_MINUTES, wedged="push_result") > FEW_MINUTES - 90


class ChildStarts:
    """A launcher whose starts fail after a while, or never end."""

    def __init__(self, *, wedged: bool) -> None:
        self._wedged = wedged

    async def spawn_child(self, *, rehearses: bool = True) -> Any:
        if self._wedged:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(60)
        raise LaunchError("no process is left")


def bearing(*, wedged: bool, seconds: float) -> float:
    async def life() -> float:
        launcher: Any = ChildStarts(wedged=wedged)
        spares = SparePool(launcher, 2)
        assert spares.due_at is None
        spares.refill()
        try:
            return await lateness(spares, seconds)
        finally:
            await spares.close()

    return simulate(life())


def test_starts_of_children_that_fail_for_long_are_not_late_and_one_that_never_ends_is() -> None:
    assert bearing(wedged=False, seconds=FORTY_MINUTES) == 0
    assert bearing(wedged=True, seconds=FEW_MINUTES) > FEW_MINUTES - 200
