"""Removes cgroups of finished children: together soon, or right after the same thread makes one."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

REMOVE_SECONDS: Final = 0.05
"""How long an empty cgroup may stay. Nobody waits for its removal, and waking a thread costs more than removing it."""


class CgroupRemovals:
    """Collects removals. The thread that makes cgroups does them, in order."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._removals: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, remove: Callable[[], None]) -> None:
        """Call `remove` in the thread: right after `begin`, or when its time is over."""
        self._removals.append(remove)
        if self._timer is None:
            with contextlib.suppress(RuntimeError):  # no loop any more: the end removes everything anyway
                self._timer = asyncio.get_running_loop().call_later(REMOVE_SECONDS, self._on_time)

    def begin(self) -> None:
        """Do all of them now. Call it when the thread has just got other work."""
        if not self._removals:
            return
        removals, self._removals = self._removals, []
        with contextlib.suppress(RuntimeError):  # pool shut down: the end removes everything anyway
            self._executor.submit(_call_each, removals)

    def _on_time(self) -> None:
        self._timer = None
        self.begin()


def _call_each(removals: list[Callable[[], None]]) -> None:
    for remove in removals:
        remove()
