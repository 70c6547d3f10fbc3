"""The timers of a job, by a clock that jumps."""

import asyncio
import socket

import pytest

from supervisor.job.timers import JobTimers
from supervisor.lifecycle.events import Timer
from tests.simulated_time import START, elapsed, simulate, stand_still, turns

Fired = list[tuple[float, Timer]]


def test_a_timer_fires_at_its_time_with_that_time() -> None:
    async def live() -> Fired:
        fired: Fired = []
        timers = JobTimers(lambda at, timer: fired.append((at - START, timer)))
        timers.set(Timer.GRACE, START + 5.0)
        timers.set(Timer.DEADLINE, START + 2.0)
        await asyncio.sleep(10.0)
        return fired

    assert simulate(live()) == [(2.0, Timer.DEADLINE), (5.0, Timer.GRACE)]


def test_setting_a_timer_again_replaces_it() -> None:
    async def live() -> Fired:
        fired: Fired = []
        timers = JobTimers(lambda at, timer: fired.append((at - START, timer)))
        timers.set(Timer.STACK, START + 2.0)
        timers.set(Timer.STACK, START + 5.0)
        await asyncio.sleep(10.0)
        return fired

    assert simulate(live()) == [(5.0, Timer.STACK)]


def test_after_the_end_nothing_fires() -> None:
    async def live() -> Fired:
        fired: Fired = []
        timers = JobTimers(lambda at, timer: fired.append((at, timer)))
        timers.set(Timer.STACK, START + 2.0)
        timers.set(Timer.DEADLINE, START + 3.0)
        timers.cancel()
        await asyncio.sleep(10.0)
        return fired

    assert simulate(live()) == []


@pytest.mark.parametrize(("stood_still", "fires"), [(1.02, [1.02]), (1.03, [1.08])])
def test_after_a_standstill_what_waits_to_be_read_comes_before_a_timer(
    stood_still: float, fires: list[float]
) -> None:
    """The block may have been done in time: a moment later the timer fires, whether late or not."""

    async def live() -> list[float]:
        fired: list[float] = []
        timers = JobTimers(lambda at, timer: fired.append(elapsed()))
        timers.set(Timer.DEADLINE, START + 1.0)
        stand_still(stood_still)
        await asyncio.sleep(10.0)
        return fired

    assert simulate(live()) == pytest.approx(fires)


@pytest.mark.parametrize(("again", "fires"), [(0.5, 5.5), (1.02, 6.02), (1.03, 6.08)])
def test_only_another_standstill_of_a_second_puts_a_timer_off_once_more(again: float, fires: float) -> None:
    """A loop that is a little late again and again must not keep a job alive."""

    async def live() -> list[float]:
        fired: list[float] = []
        timers = JobTimers(lambda at, timer: fired.append(elapsed()))
        timers.set(Timer.DEADLINE, START + 1.0)
        stand_still(5.0)
        await turns(2)
        stand_still(again)
        await asyncio.sleep(10.0)
        return fired

    assert simulate(live()) == pytest.approx([fires])


def test_a_timer_that_waits_for_what_is_to_be_read_can_be_cancelled() -> None:
    async def live() -> list[float]:
        fired: list[float] = []
        timers = JobTimers(lambda at, timer: fired.append(elapsed()))
        timers.set(Timer.DEADLINE, START + 1.0)
        stand_still(5.0)
        await asyncio.sleep(0.01)
        timers.cancel()
        await asyncio.sleep(10.0)
        return fired

    assert simulate(live()) == []


@pytest.mark.parametrize("late", [0.0, 0.01, 0.02, 5.0])
def test_an_outcome_that_waits_to_be_read_is_read_before_a_timer_fires(late: float) -> None:
    """Otherwise the job would be said to have reached its time limit, although it was done before that."""

    async def live() -> list[str]:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        seen: list[str] = []

        async def read() -> None:
            seen.append((await reader.readexactly(4) + await reader.readexactly(3)).decode())

        reading = asyncio.ensure_future(read())
        await turns(2)
        timers = JobTimers(lambda at, timer: seen.append("timer"))
        timers.set(Timer.DEADLINE, START + 1.0)
        theirs.send(b"outcome")
        stand_still(1.0 + late)
        await asyncio.sleep(1.0)
        await reading
        theirs.close()
        writer.close()
        return seen

    assert simulate(live()) == ["outcome", "timer"]
