"""Processes of this worker that were killed, until they are dead: the loop waits for none of them."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final

from supervisor.process.tasks import Tasks

MOMENT_SECONDS: Final = 0.5
"""How long one that was killed is awaited by who goes on without it. It takes a millisecond or two."""

_FIRST_PAUSE_SECONDS: Final = 0.001
_LONGEST_PAUSE_SECONDS: Final = 1.0


async def until_dead(pid: int) -> None:
    """Wait until `pid` can be waited for without waiting, or is no child of this process any more.

    One that waits in the kernel for a dead disk takes as long as the disk, whatever signal it was sent.
    """
    await look_until(lambda: _is_dead(pid))


async def look_until(is_over: Callable[[], bool]) -> None:
    """Wait until `is_over` says so, which is asked after pauses that grow to a second."""
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
    """Owns what follows the end of processes that were killed."""

    def __init__(self) -> None:
        self._tasks = Tasks()

    def start(self, ending: Coroutine[Any, Any, object], name: str) -> None:
        """Begin `ending`, which begins by waiting for a process's end. `name` is what people are told of it."""
        self._tasks.start(ending, name)

    async def see(self, ending: Coroutine[Any, Any, object], name: str) -> None:
        """Begin `ending`, and await it for a moment. It goes on after that, also when this is cancelled."""
        await asyncio.wait((self._tasks.start(ending, name),), timeout=MOMENT_SECONDS)

    async def close(self) -> None:
        """Await all for a moment. What can't be killed is left to the keeper."""
        await self._tasks.wait(MOMENT_SECONDS)
        await self._tasks.close()
