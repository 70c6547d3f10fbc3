"""One watch over all writes, instead of a timer for each: every job makes writes."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")

LOOK_SECONDS: Final = 1.0

_LATE_SECONDS: Final = 0.5
"""If a look is so late, this process stood still, and the thread that writes did so too: the time does not count."""


class WriteTimeout:
    """Ends futures with `TimeoutError` if they are not done after `seconds`, with the accuracy of one look.

    `took` gets the number of seconds of each successful write.
    """

    def __init__(self, seconds: float, took: Callable[[float], None] = lambda seconds: None) -> None:
        self._seconds = seconds
        self._took = took
        self._futures: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._look_at = 0.0

    def watch(self, future: "asyncio.Future[T]") -> "asyncio.Future[T]":
        """Watch a future from now on, and return it."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._futures.append((now + self._seconds, future))
        future.add_done_callback(partial(self._ended, now))
        if self._timer is None:
            self._look_soon()
        return future

    def _ended(self, began_at: float, future: "asyncio.Future[Any]") -> None:
        if not future.cancelled() and future.exception() is None:
            self._took(asyncio.get_running_loop().time() - began_at)

    def close(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        late = loop.time() - self._look_at
        if late > _LATE_SECONDS:
            self._futures = deque((until + late, future) for until, future in self._futures)
        while self._futures and (self._futures[0][1].done() or self._futures[0][0] <= loop.time()):
            _, future = self._futures.popleft()
            if not future.done():
                future.set_exception(TimeoutError())
                future.exception()  # perhaps nobody waits for it any more
        if self._futures:
            self._look_soon()

    def _look_soon(self) -> None:
        loop, pause = asyncio.get_running_loop(), min(LOOK_SECONDS, self._seconds)
        self._look_at = loop.time() + pause
        self._timer = loop.call_later(pause, self._look)
