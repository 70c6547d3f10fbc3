"""The ticks of a child's loop: at an interval while something happens, and none while it sleeps."""

import asyncio
import selectors
import threading
import time
from collections.abc import Callable

import pytest

from jobrunner.loop_waits import LoopWaits
from jobrunner.protocol.messages import Header, Tick
from jobrunner.ticker import Ticker
from tests.patience import PATIENCE_SECONDS

INTERVAL_SECONDS = 0.005
SLEEPS = Tick(sleeps=True)


class Heard:
    """A channel that keeps what is sent, unless there is no room."""

    is_mine = True
    has_room = True

    def __init__(self) -> None:
        self.sent: list[Header] = []

    def send_if_room(self, header: Header) -> bool:
        if self.has_room:
            self.sent.append(header)
        return self.has_room


class Watch:
    """What rests while the loop sleeps."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def rest(self) -> None:
        self.calls.append("rest")

    def go_on(self) -> None:
        self.calls.append("go on")


def test_a_loop_that_waits_for_something_says_so_once_and_ticks_when_it_goes_on() -> None:
    channel, watch = Heard(), Watch()

    async def main() -> None:
        ticking = Ticker(channel, INTERVAL_SECONDS, watch)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, wait_for, lambda: SLEEPS in channel.sent)
        assert watch.calls == ["rest", "go on"]
        assert channel.sent.count(SLEEPS) == 1
        assert channel.sent[-1] == Tick(), "it has ticked before any code ran that was waited for"
        ticking.stop()

    asyncio.run(main())


def wait_for(condition: Callable[[], bool]) -> None:
    """In another thread: nothing happens on the loop meanwhile."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    assert condition()


async def test_a_loop_on_which_something_happens_ticks_on() -> None:
    channel = Heard()
    ticking = Ticker(channel, INTERVAL_SECONDS)  # type: ignore[arg-type]
    while len(channel.sent) < 12:
        await asyncio.sleep(INTERVAL_SECONDS / 10)
    ticking.stop()
    assert SLEEPS not in channel.sent


async def test_a_loop_on_which_something_is_due_soon_does_not_sleep() -> None:
    channel = Heard()
    ticking = Ticker(channel, 0.02)  # type: ignore[arg-type]
    ticking._idle_ticks = 100
    loop = asyncio.get_running_loop()
    ticking._waits.armed = True
    due = loop.create_future()
    loop.call_later(0.03, due.set_result, None)
    await due
    ticking.stop()
    assert SLEEPS not in channel.sent


def test_a_loop_that_can_not_say_that_it_sleeps_ticks_on() -> None:
    channel = Heard()

    async def main() -> None:
        ticking = Ticker(channel, INTERVAL_SECONDS)  # type: ignore[arg-type]
        channel.sent.clear()
        channel.has_room = False
        ticking._waits.armed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, time.sleep, 2 * INTERVAL_SECONDS)
        channel.has_room = True
        await loop.run_in_executor(None, wait_for, lambda: len(channel.sent) > 0)
        ticking.stop()

    asyncio.run(main())
    assert channel.sent[0] == Tick()


async def test_a_loop_of_another_kind_ticks_on() -> None:
    waits = LoopWaits(object(), lambda _: True, lambda: None, 1.0)  # type: ignore[arg-type]
    assert not waits.possible
    waits.stop()


async def test_a_ticker_that_is_stopped_leaves_the_loop_as_it_was() -> None:
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    assert isinstance(selector, selectors.EpollSelector)
    before = selector.select
    ticking = Ticker(Heard(), INTERVAL_SECONDS)  # type: ignore[arg-type]
    assert selector.select != before
    ticking.stop()
    ticking.stop()
    assert selector.select == before


@pytest.mark.parametrize("may_wait", [True, False])
def test_the_end_of_a_wait_is_told_where_its_beginning_was(may_wait: bool) -> None:
    told: list[object] = []
    waits_now = threading.Event()

    def begin(seconds: float | None) -> bool:
        told.append(seconds)
        waits_now.set()
        return may_wait

    def end_the_wait() -> None:
        waits_now.wait(PATIENCE_SECONDS)
        time.sleep(0.02)  # so that it is a wait that is worth telling

    async def main() -> None:
        waits = LoopWaits(asyncio.get_running_loop(), begin, lambda: told.append("end"), 0.001)
        waits.armed = True
        await asyncio.get_running_loop().run_in_executor(None, end_the_wait)
        waits.stop()

    asyncio.run(main())
    assert told == ([None, "end"] if may_wait else [None])
