"""Cgroups of children that are over: they are removed together soon, or behind one that the same thread makes."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

REMOVE_SECONDS: Final = 0.05
"""How long an empty cgroup may stay. Nobody waits for its removal, and to wake a thread costs more than it does."""


class CgroupRemovals:
    """Gathers removals, and has them carried out by the thread that makes cgroups, in their order."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._removals: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, remove: Callable[[], None]) -> None:
        """Have `remove` called in the thread: right after `begin`, or when its time is over."""
        self._removals.append(remove)
        if self._timer is None:
            with contextlib.suppress(RuntimeError):  # no loop any more: the end removes everything anyway
                self._timer = asyncio.get_running_loop().call_later(REMOVE_SECONDS, self._on_time)

    def begin(self) -> None:
        """Have all of them carried out now. To be called when the thread has been given something else to do."""
        if not self._removals:
            return
        removals, self._removals = self._removals, []
        with contextlib.suppress(RuntimeError):  # shut down: the end removes everything anyway
            self._executor.submit(_call_each, removals)

    def _on_time(self) -> None:
        self._timer = None
        self.begin()


def _call_each(removals: list[Callable[[], None]]) -> None:
    for remove in removals:
        remove()
