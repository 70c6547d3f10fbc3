"""Processes below this one that belong to no job: they are killed and logged, and no job is blamed."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from supervisor.launcher.sweep_rounds import reap
from supervisor.log.event import tell
from supervisor.log.events.processes import StrayKilled, StrayStuck
from supervisor.process.proc import kill_tree, read_stat, status_of
from supervisor.process.tasks import Tasks

_log = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 2.0
_NO_LOOK_PAUSE_SECONDS: Final = 1.0
"""How long to wait if no look is possible, because no descriptor is left."""

_ROUND_SECONDS: Final = 0.2
_STUCK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Stray:
    """A process, identified for certain."""

    pid: int
    started: int


class Strays:
    """Kills what `look` finds, in the background, until it finds nothing. Costs no job its slot or its time.

    `look` returns direct children of this process that it does not know, and that no job owns. If it raises `OSError`,
    it is called again.
    """

    def __init__(self, look: Callable[[], Awaitable[set[int]]]) -> None:
        self._look = look
        self._tasks = Tasks()
        self._is_closed = False

    def notice(self) -> None:
        """Begin, unless it is under way, or closed."""
        if not self._tasks and not self._is_closed:
            self._tasks.start(self._kill_all(), "end of processes that belong to no job")

    async def _kill_all(self) -> None:
        seen: set[_Stray] = set()
        killed_at: dict[_Stray, float] = {}
        pause = _PAUSE_SECONDS
        while found := await self._found():
            # Only if it was there at two looks: a number may belong to a new child that the next look announces.
            same = seen & found.keys()
            names = {one: status_of(one.pid).get("Name", "") for one in same if found[one]}
            reaped = await asyncio.to_thread(_kill, {one.pid for one in same}) if same else set()
            for one, name in names.items():
                self._tell(one, name, gone=one.pid in reaped, killed_at=killed_at)
            seen = {one for one in found if one.pid not in reaped}
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS) if seen == same else _PAUSE_SECONDS
            await asyncio.sleep(pause)

    async def _found(self) -> dict[_Stray, bool]:
        """Return the strays that exist now, and whether each lives. Waits until a look is possible."""
        while True:
            with contextlib.suppress(OSError):
                pids = await self._look()
                stats = {pid: stat for pid in pids if (stat := read_stat(pid)) is not None}
                return {_Stray(pid, stat.started): stat.lives for pid, stat in stats.items()}
            await asyncio.sleep(_NO_LOOK_PAUSE_SECONDS)

    def _tell(self, one: _Stray, name: str, *, gone: bool, killed_at: dict[_Stray, float]) -> None:
        first = killed_at.setdefault(one, time.monotonic())
        if gone:
            tell(_log, StrayKilled(pid=one.pid, process=name))
        elif time.monotonic() - first > _STUCK_SECONDS:
            killed_at[one] = math.inf  # logged once
            tell(_log, StrayStuck(pid=one.pid, process=name))

    async def close(self) -> None:
        """Stop, for good."""
        self._is_closed = True
        await self._tasks.close()


def _kill(pids: set[int]) -> set[int]:
    """Kill these children of this process with all below them; return those that were reaped."""
    end = time.monotonic() + _ROUND_SECONDS
    kill_tree(pids, end)
    return reap(pids, end)
