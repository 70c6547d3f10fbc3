"""A pause that several loops over the worker share, so that they wake its loop once and not one by one.

For an idle worker, waking up costs more than most of the work that follows.
"""

import asyncio
import math
from typing import Final

LATER: Final = 1.25
"""How many times its length a pause waits for somebody who wakes the loop anyway, if somebody did in the pause before:
the poller's pauses vary by a tenth."""

EARLIEST: Final = 0.8
"""From this part of its length on, a pause ends as soon as somebody wakes the loop."""


class SharedPause:
    """Lasts about `seconds`, for all who wait for its end; the next one begins when the first of them waits again.

    Code that wakes the loop about as often anyway calls `turn`. While nobody does, each pause lasts `seconds`.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._over_from = math.inf
        self._due_at = 0.0
        self._has_turns = False

    async def wait(self) -> float:
        """Wait for the end. Returns when it was due at the latest, in seconds of the loop's clock."""
        if self._timer is None:
            self._begin()
        due_at = self._due_at
        await self._over.wait()
        return due_at

    def turn(self) -> None:
        """Note that the loop is awake."""
        self._has_turns = True
        if self._timer is not None and asyncio.get_running_loop().time() >= self._over_from:
            self._end()

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._over_from = now + self._seconds * EARLIEST
        self._due_at = now + self._seconds * (LATER if self._has_turns else 1.0)
        self._has_turns = False
        self._timer = loop.call_at(self._due_at, self._end)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        over, self._over = self._over, asyncio.Event()
        over.set()
