"""Tells when the event loop of a job is about to wait, and when it goes on."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class LoopWaits:
    """Counts the turns of a loop. Where `armed`, asks `begin` at the next wait, and calls `end` after it.

    `begin` gets how many seconds the loop is to wait at most, `None` without a bound, and says whether it may. If not,
    it waits for `else_seconds` at most, and `end` is not called.

    By the one method of the loop's selector through which all its waiting goes: what is called here runs between two
    turns, when no code of the block does. A loop of another kind (uvloop) has none: `possible` is false then.
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
            self._selector.select = self._counted  # of this loop only

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
        """Have the loop wait as it did before."""
        if self.possible:
            self.possible = self.armed = False
            del self._selector.select
