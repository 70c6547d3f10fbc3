"""Systemd's watchdog is fed while the loop is on time and every part moves on, and only then. Time is simulated."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable

import pytest

from supervisor.log.events.worker import ProgressLost, ProgressMade, WorkerStalled
from supervisor.worker.progress import Progress
from tests.log_events import told
from tests.simulated_time import elapsed, simulate, stand_still

WATCHDOG = 60.0


class Part:
    def __init__(self, due_at: float | None = None) -> None:
        self.due_at = due_at


class Scene:
    """A systemd that wants to hear of the worker, and one part of it."""

    def __init__(self, watchdog_seconds: float | None) -> None:
        self.watchdog_seconds = watchdog_seconds
        self.fed: list[float] = []
        self.part = Part()
        self.progress = Progress(self)
        self.progress.watch("the poller", self.part)

    def send(self, *lines: str) -> None:
        assert lines == ("WATCHDOG=1",)
        self.fed.append(elapsed())

    def longest_hunger(self, until: float) -> float:
        times = [0.0, *self.fed, until]
        return max(later - earlier for earlier, later in itertools.pairwise(times))


def live(then: Callable[[Scene], Awaitable[None]], watchdog_seconds: float | None = WATCHDOG) -> Scene:
    async def life() -> Scene:
        scene = Scene(watchdog_seconds)
        keeping = asyncio.ensure_future(scene.progress.keep())
        await then(scene)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        return scene

    return simulate(life())


@pytest.mark.parametrize("watchdog_seconds", [60.0, 2.0])
def test_while_all_moves_on_it_is_fed_about_four_times_in_its_time(watchdog_seconds: float) -> None:
    scene = live(lambda _: asyncio.sleep(10 * watchdog_seconds), watchdog_seconds)
    assert scene.longest_hunger(10 * watchdog_seconds) <= watchdog_seconds / 4 + 1
    assert len(scene.fed) <= 42


def test_without_a_watchdog_nothing_is_said_and_it_is_looked_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def then(scene: Scene) -> None:
        scene.part.due_at = asyncio.get_running_loop().time() + 5
        await asyncio.sleep(10)

    assert live(then, None).fed == []
    assert len(told(caplog, ProgressLost)) == 1


def test_a_part_that_does_not_move_on_starves_it_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def then(scene: Scene) -> None:
        scene.part.due_at = asyncio.get_running_loop().time() + 100
        await asyncio.sleep(400)

    scene = live(then)
    assert 100 - 16 <= scene.fed[-1] <= 100
    (lost,) = told(caplog, ProgressLost)
    assert lost["parts"].startswith("the poller (")
    assert [late.name for late in scene.progress.late] == ["the poller"]


def test_a_part_that_moves_on_again_has_it_fed_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def then(scene: Scene) -> None:
        scene.part.due_at = asyncio.get_running_loop().time() + 10
        await asyncio.sleep(40)
        assert scene.fed == [0.0]
        scene.part.due_at = None
        await asyncio.sleep(2)

    scene = live(then)
    assert len(scene.fed) == 2
    assert len(told(caplog, ProgressMade)) == 1
    assert scene.progress.late == ()


def test_a_loop_that_is_always_late_starves_it_and_one_that_was_late_once_does_not() -> None:
    async def late_once(scene: Scene) -> None:
        await asyncio.sleep(5)
        stand_still(20)
        await asyncio.sleep(0.5)
        assert scene.progress.lag_seconds > 15
        await asyncio.sleep(60)
        assert scene.progress.lag_seconds == 0.0

    assert live(late_once).longest_hunger(85.5) <= WATCHDOG / 2

    async def always_late(scene: Scene) -> None:
        for _ in range(20):
            stand_still(20)
            await asyncio.sleep(0)
            await asyncio.sleep(1.0)

    assert len(live(always_late).fed) <= 2


def test_a_worker_that_was_stopped_for_a_minute_blames_no_part_and_says_that_it_was_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(5)
        scene.part.due_at = asyncio.get_running_loop().time() + 2
        stand_still(74)
        await asyncio.sleep(3)  # several looks until it has its answer
        assert scene.progress.late == ()
        scene.part.due_at = asyncio.get_running_loop().time() + 10
        await asyncio.sleep(5)

    live(then)
    assert told(caplog, ProgressLost) == []
    (stalled,) = told(caplog, WorkerStalled)
    assert 73 <= stalled["seconds"] <= 75


def test_a_part_that_does_not_move_on_after_a_stall_is_told_some_seconds_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(5)
        scene.part.due_at = asyncio.get_running_loop().time() + 2
        stand_still(20)
        await asyncio.sleep(4)
        assert scene.progress.late == ()
        await asyncio.sleep(4)

    live(then)
    assert len(told(caplog, ProgressLost)) == 1


def test_what_falls_due_after_a_stall_is_not_given_its_time(caplog: pytest.LogCaptureFixture) -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(5)
        stand_still(60)
        await asyncio.sleep(2)
        scene.part.due_at = asyncio.get_running_loop().time() + 2
        await asyncio.sleep(5)

    live(then)
    assert len(told(caplog, ProgressLost)) == 1
