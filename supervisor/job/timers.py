"""The timers of one job, on the loop's clock."""

import asyncio
from collections.abc import Callable
from typing import Final

from supervisor.lifecycle.events import Timer

_SUSPENDED_SECONDS: Final = 0.02
_CATCH_UP_SECONDS: Final = 0.05
_TURNS: Final = 4
"""So many turns of the loop are enough to read an outcome that is there when a timer is due."""


class JobTimers:
    """Calls `on_fired` when a timer is due, with its time. Setting a timer again replaces it."""

    def __init__(self, on_fired: Callable[[float, Timer], None]) -> None:
        self._on_fired = on_fired
        self._handles: dict[Timer, asyncio.Handle] = {}

    def set(self, timer: Timer, at: float) -> None:
        """Fire at this time of the loop's clock."""
        if timer in self._handles:
            self._handles[timer].cancel()
        self._handles[timer] = asyncio.get_running_loop().call_at(at, self._fire, timer, at)

    def _fire(self, timer: Timer, at: float) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - at > _SUSPENDED_SECONDS:
            # This process was stopped or the machine slept. The block may have finished in time, and its outcome may
            # wait in the socket. It must be read first, otherwise the result would say that a limit was hit.
            again = loop.call_later(_CATCH_UP_SECONDS, self._fire, timer, loop.time() + 1)
            self._handles[timer] = again
        else:
            self._turn(timer, _TURNS)

    def _turn(self, timer: Timer, left: int) -> None:
        loop = asyncio.get_running_loop()
        if left:
            self._handles[timer] = loop.call_soon(self._turn, timer, left - 1)
        else:
            self._on_fired(loop.time(), timer)

    def cancel(self) -> None:
        """Fire no more timers."""
        for handle in self._handles.values():
            handle.cancel()
