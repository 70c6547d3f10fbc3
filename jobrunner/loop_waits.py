"""Reports when the event loop of a job is about to wait, and when it goes on."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class LoopWaits:
    """Counts the turns of a loop. If `armed`, it calls `begin` at the next wait, and `end` after it.

    `begin` gets how many seconds the loop will wait at most, `None` for no limit, and returns whether it may. If not,
    the loop waits for `else_seconds` at most, and `end` is not called.

    It replaces the one method of the loop's selector through which all waits go. So these calls run between two turns,
    when no code of the block runs. A loop of another kind (uvloop) has no such method: `possible` is false then.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        begin: Callable[[float | None], bool],
        end: Callable[[], None],
        else_seconds: float,
    ) -> None:
        selector: Any = getattr(loop, "_selector", None)
        self.possible = isinstance(selector, selectors.EpollSelector)
        self.turns = 0
        self.armed = False
        self._begin = begin
        self._end = end
        self._else_seconds = else_seconds
        self._selector = selector
        if self.possible:
            self._select = self._selector.select
            self._selector.select = self._counted  # only for this loop

    def _counted(self, timeout: float | None = None) -> Any:
        self.turns += 1
        if not self.armed:
            return self._select(timeout)
        self.armed = False
        if not self._begin(timeout):
            return self._select(self._else_seconds if timeout is None else min(timeout, self._else_seconds))
        try:
            return self._select(timeout)
        finally:
            self._end()

    def stop(self) -> None:
        """Make the loop wait as before."""
        if self.possible:
            self.possible = self.armed = False
            del self._selector.select
