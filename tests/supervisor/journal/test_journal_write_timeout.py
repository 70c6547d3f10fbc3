"""Time limits of writes: a write that is not done in time ends, one that is done does not, and a look is cheap."""

import asyncio
import gc
from typing import Any

import pytest

from supervisor.journal.write_timeout import LOOK_SECONDS, WriteTimeout


class Clock:
    """A loop's time that the test moves, and the timers that are set on it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Any]] = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr(loop, "call_later", self._call_later)

    def _call_later(self, seconds: float, call: Any) -> Any:
        timer = (self.now + seconds, call)
        self.timers.append(timer)
        return _Handle(self.timers, timer)

    def ring(self) -> None:
        """Go to the next timer's time, and do what it is for."""
        (timer,) = self.timers
        self.timers.remove(timer)
        self.now, call = timer
        call()


class _Handle:
    def __init__(self, timers: list[tuple[float, Any]], timer: tuple[float, Any]) -> None:
        self._timers, self._timer = timers, timer

    def cancel(self) -> None:
        self._timers.remove(self._timer)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def future() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()


async def test_a_write_ends_with_a_time_out_after_the_time_and_not_before(clock: Clock) -> None:
    patience, write = WriteTimeout(3 * LOOK_SECONDS), future()
    patience.watch(write)
    for _ in range(2):
        clock.ring()
        assert not write.done()
    clock.ring()
    assert isinstance(write.exception(), TimeoutError)
    assert clock.timers == []


async def test_one_timer_serves_all_and_each_has_its_own_time(clock: Clock) -> None:
    patience, first, second = WriteTimeout(2.5 * LOOK_SECONDS), future(), future()
    patience.watch(first)
    clock.now += LOOK_SECONDS / 2
    patience.watch(second)
    assert len(clock.timers) == 1
    ended = []
    while clock.timers:
        clock.ring()
        ended.append((first.done(), second.done()))
    assert ended == [(False, False), (False, False), (True, True)]


async def test_what_is_done_is_let_alone_and_the_timer_with_it(clock: Clock) -> None:
    patience, write = WriteTimeout(10 * LOOK_SECONDS), future()
    patience.watch(write)
    write.set_result(None)
    clock.ring()
    assert clock.timers == []
    assert write.result() is None
    patience.watch(future())
    assert len(clock.timers) == 1


async def test_a_patience_shorter_than_a_look_is_kept(clock: Clock) -> None:
    patience, write = WriteTimeout(LOOK_SECONDS / 10), future()
    patience.watch(write)
    clock.ring()
    assert clock.now == 100.0 + LOOK_SECONDS / 10
    assert isinstance(write.exception(), TimeoutError)


async def test_after_closing_nothing_rings(clock: Clock) -> None:
    WriteTimeout(1).close()
    patience = WriteTimeout(1)
    patience.watch(future())
    patience.close()
    assert clock.timers == []


async def test_a_write_that_ran_out_of_time_and_that_nobody_waits_for_is_no_complaint(clock: Clock) -> None:
    gc.collect()  # what other tests have left is none of this one's
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    patience = WriteTimeout(LOOK_SECONDS)
    patience.watch(future())
    clock.ring()
    gc.collect()
    assert clock.timers == []
    assert complaints == []


async def test_a_time_in_which_nothing_ran_is_no_time_of_a_write(clock: Clock) -> None:
    """The thread that writes stood still with the loop, for example on a machine that was paused."""
    patience, slow = WriteTimeout(5.0), future()
    patience.watch(slow)
    clock.ring()
    clock.now += 60.0  # until the next look
    (timer,) = clock.timers
    clock.timers[:] = []
    clock.now += 1.0
    timer[1]()
    assert not slow.done()
    for _ in range(3):
        assert not slow.done()
        clock.ring()
    assert isinstance(slow.exception(), TimeoutError)
