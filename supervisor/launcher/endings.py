"""Killed processes of this worker, until they are dead. The loop does not wait for them."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final

from supervisor.process.tasks import Tasks

MOMENT_SECONDS: Final = 0.5
"""How long a caller waits for a killed process before it goes on without it. A kill takes a millisecond or two."""

_FIRST_PAUSE_SECONDS: Final = 0.001
_LONGEST_PAUSE_SECONDS: Final = 1.0


async def until_dead(pid: int) -> None:
    """Wait until `pid` can be reaped without waiting, or is not a child of this process any more.

    If it waits in the kernel for a dead disk, it takes as long as the disk, whatever signal it gets.
    """
    await look_until(lambda: _is_dead(pid))


async def look_until(is_over: Callable[[], bool]) -> None:
    """Wait until `is_over` returns true. It is asked after pauses that grow to a second."""
    pause = _FIRST_PAUSE_SECONDS
    while not is_over():
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _is_dead(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    except ChildProcessError:
        return True


class Endings:
    """Owns the work that follows the end of killed processes."""

    def __init__(self) -> None:
        self._tasks = Tasks()

    def start(self, ending: Coroutine[Any, Any, object], name: str) -> None:
        """Begin `ending`, which first waits for a process's end. Messages use `name` for it."""
        self._tasks.start(ending, name)

    async def see(self, ending: Coroutine[Any, Any, object], name: str) -> None:
        """Begin `ending`, and wait a moment for it. It goes on after that, also if this is cancelled."""
        await asyncio.wait((self._tasks.start(ending, name),), timeout=MOMENT_SECONDS)

    async def close(self) -> None:
        """Wait a moment for all. The keeper must kill what can't be killed here."""
        await self._tasks.wait(MOMENT_SECONDS)
        await self._tasks.close()
