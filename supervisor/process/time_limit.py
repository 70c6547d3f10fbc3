"""Time-outs that first look at what has come: an answer that came in time counts, also if nobody could read it then.

A process can stand still at any moment: it is stopped, its machine is paused or moved, or gets no processor. When it
goes on, its timers are due in the same turn of the loop in which it sees what has come meanwhile. `asyncio.timeout`
then cancels whoever waits, although the answer is there. And others that stood still with it had no time to answer
(docs/adr/0063).
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

_TURNS: Final = 4
"""So many turns of the loop are enough to read an answer that is there, and to wake who waits for it."""

LATE_SECONDS: Final = 0.05
"""A timer that is so late was held up: by a standstill of this process, or by a loop with much to do."""

MORE_SECONDS: Final = 1.0
"""How much longer it waits then: those that stood still with this process need time to answer."""

_MOST_TIMES: Final = 3
"""How often it does that: a loop that is always late must give up at some time."""


class FairTimer:
    """Calls `on_over` once after the time `when` of the loop's clock, and never before what has come is read."""

    def __init__(self, when: float, on_over: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_over = on_over
        self._times = 0
        self._handle: asyncio.Handle = self._loop.call_at(when, self._due, when)

    def cancel(self) -> None:
        """Don't call it any more."""
        self._handle.cancel()

    def _due(self, when: float) -> None:
        if self._loop.time() - when > LATE_SECONDS and self._times < _MOST_TIMES:
            self._times += 1
            again = self._loop.time() + MORE_SECONDS
            self._handle = self._loop.call_at(again, self._due, again)
        else:
            self._turn(_TURNS)

    def _turn(self, left: int) -> None:
        if left:
            self._handle = self._loop.call_soon(self._turn, left - 1)
        else:
            self._on_over()


class TimeLimit:
    """Use it like `asyncio.timeout_at`, with `async with`. `when` is a time of the loop's clock."""

    def __init__(self, when: float) -> None:
        self._when = when
        self._limit = asyncio.timeout(None)
        self._timer: FairTimer | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._limit.__aenter__()
        self._timer = FairTimer(self._when, self._end)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End. Raises `TimeoutError` if the time was over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._limit.__aexit__(kind, error, traceback)

    def reschedule(self, when: float) -> None:
        """Set another time. Does nothing once the time is over, or before it has begun."""
        self._when = when
        if self._timer is not None and not self._limit.expired():
            self._timer.cancel()
            self._limit.reschedule(None)
            self._timer = FairTimer(when, self._end)

    def _end(self) -> None:
        self._limit.reschedule(asyncio.get_running_loop().time())


async def done_within(seconds: float, future: "asyncio.Future[Any]") -> bool:
    """Wait for a future, in place of `asyncio.wait` with a time-out, and return whether it is done."""
    loop = asyncio.get_running_loop()
    for _ in range(_MOST_TIMES + 1):
        due_at = loop.time() + seconds
        await asyncio.wait((future,), timeout=seconds)
        if future.done() or loop.time() - due_at <= LATE_SECONDS:
            break
        seconds = MORE_SECONDS
    return future.done()


def time_limit(seconds: float) -> TimeLimit:
    """Return a time limit that begins now, in place of `asyncio.timeout`."""
    return TimeLimit(asyncio.get_running_loop().time() + seconds)
