"""Those who look at the worker again and again wake its loop together, and with its polls. Time is simulated."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from supervisor.engine import Poll
from supervisor.worker.poller import Poller
from supervisor.worker.progress import Progress
from supervisor.worker.readiness import ReadinessFacts
from supervisor.worker.shared_pause import SharedPause
from supervisor.worker.status import Facts, Status
from tests.programs.fuzz.fakes import block_entry
from tests.simulated_time import elapsed, simulate, stand_still

MINUTE = 60.0


def looks_beside(then: Callable[[SharedPause], Awaitable[None]], count: int = 2) -> list[list[float]]:
    """Return when each of so many looked that share a pause of a second, while `then` was done."""

    async def look(pause: SharedPause, times: list[float]) -> None:
        while True:
            await pause.wait()
            times.append(elapsed())

    async def life() -> list[list[float]]:
        pause = SharedPause(1.0)
        looks: list[list[float]] = [[] for _ in range(count)]
        tasks = [asyncio.ensure_future(look(pause, times)) for times in looks]
        await then(pause)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return looks

    return simulate(life())


def test_all_who_share_a_pause_look_at_the_same_time_once_a_second_by_themselves() -> None:
    first, second = looks_beside(lambda _: asyncio.sleep(10.5))
    assert first == second == pytest.approx(list(range(1, 11)))


@pytest.mark.parametrize("every_seconds", [0.9, 1.0, 1.1])
def test_who_wakes_the_loop_about_once_a_second_has_all_look_then_and_never_beside(
    every_seconds: float,
) -> None:
    turns: list[float] = []

    async def then(pause: SharedPause) -> None:
        for _ in range(20):
            await asyncio.sleep(every_seconds)
            turns.append(elapsed())
            pause.turn()
        await asyncio.sleep(0.01)

    (looks,) = looks_beside(then, count=1)
    assert set(looks[5:]) <= set(turns)
    assert len(looks) >= 19


@pytest.mark.parametrize("every_seconds", [0.001, 0.3, 5.0])
def test_however_often_somebody_wakes_the_loop_it_is_looked_about_once_a_second(every_seconds: float) -> None:
    async def then(pause: SharedPause) -> None:
        while elapsed() < MINUTE:
            await asyncio.sleep(every_seconds)
            pause.turn()

    (looks,) = looks_beside(then, count=1)
    pauses = [later - earlier for earlier, later in itertools.pairwise(looks)]
    assert min(pauses) >= 0.79
    assert max(pauses) <= 1.26


def test_one_who_waits_no_more_leaves_the_others_their_pause() -> None:
    async def life() -> None:
        pause = SharedPause(1.0)
        first, second = asyncio.ensure_future(pause.wait()), asyncio.ensure_future(pause.wait())
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == pytest.approx(1001.0)
        assert elapsed() == pytest.approx(1.0)
        assert first.cancelled()

    simulate(life())


def test_who_was_kept_waiting_is_told_by_when_the_end_was_to_come() -> None:
    async def life() -> None:
        pause = SharedPause(1.0)
        waiting = asyncio.ensure_future(pause.wait())
        await asyncio.sleep(0.5)
        stand_still(30)
        assert await waiting == pytest.approx(1001.0)
        assert elapsed() > 30

    simulate(life())


class Idle:
    """An engine without jobs, and all that a poller asks. `times`: when anything was asked of it."""

    uuid, accepted, free_slots, watchdog_seconds = "w-1", [block_entry()], 1, 60.0

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.times: dict[str, list[float]] = {"poll": [], "progress": [], "status": []}

    def to_ask_for(self, blocks: Any, free: int, covered: int) -> tuple[Any, int]:
        return blocks, free

    async def poll(self, *_: Any) -> Poll:
        self.times["poll"].append(elapsed())
        return Poll(())

    async def accept(self, *_: Any) -> None:
        pass

    async def look(self, _: str, *, last: bool = False) -> None:
        pass

    def send(self, *lines: str) -> None:
        if lines == ("WATCHDOG=1",):
            self.times["progress"].append(elapsed())

    def facts(self) -> Facts:
        self.times["status"].append(elapsed())
        return Facts(1, self.uuid, ReadinessFacts())


def test_the_looks_of_an_idle_worker_come_with_its_polls_and_wake_its_loop_for_nothing() -> None:
    async def life() -> dict[str, list[float]]:
        part: Any = Idle()
        progress = Progress(part)
        status = Status(part, part.facts, asyncio.Event(), progress.pause.wait)
        poller = Poller(part, part, part, part, 1.0, on_turn=progress.pause.turn)
        work = (poller.poll_until_stopped(), progress.keep(), status.keep())
        tasks = [asyncio.ensure_future(each) for each in work]
        await asyncio.sleep(10 * MINUTE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return part.times

    times = simulate(life())
    polls = set(times["poll"])
    assert len(times["status"]) > 500
    assert set(times["status"][5:]) <= polls
    assert len(times["progress"]) >= 35
    assert set(times["progress"][1:]) <= polls
