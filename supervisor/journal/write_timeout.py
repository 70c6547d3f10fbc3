"""One watch over all writes, instead of a timer for each: every job makes writes."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")

LOOK_SECONDS: Final = 1.0


class WriteTimeout:
    """Ends futures with `TimeoutError` if they are not done after `seconds`, with the accuracy of one look.

    `took` gets the number of seconds of each successful write.
    """

    def __init__(self, seconds: float, took: Callable[[float], None] = lambda seconds: None) -> None:
        self._seconds = seconds
        self._took = took
        self._futures: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, future: "asyncio.Future[T]") -> "asyncio.Future[T]":
        """Watch a future from now on, and return it."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._futures.append((now + self._seconds, future))
        future.add_done_callback(partial(self._ended, now))
        if self._timer is None:
            self._timer = loop.call_later(min(LOOK_SECONDS, self._seconds), self._look)
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
        while self._futures and (self._futures[0][1].done() or self._futures[0][0] <= loop.time()):
            _, future = self._futures.popleft()
            if not future.done():
                future.set_exception(TimeoutError())
                future.exception()  # perhaps nobody waits for it any more
        if self._futures:
            self._timer = loop.call_later(min(LOOK_SECONDS, self._seconds), self._look)
