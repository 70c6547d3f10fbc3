"""Killing what a dead child left behind: its cgroup where it has one, and what is not, or no longer, in it."""

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from typing import Final

from supervisor.cgroups.cgroup import WITHOUT, Cgroup
from supervisor.launcher.interface import Launcher
from supervisor.launcher.kin import direct_children, is_alive

_BOUND_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class Swept:
    """How many processes were killed, and how many could not be."""

    killed: int
    remaining: int


class Sweeper:
    """Clears the tree below children that have ended.

    A dead child's descendants are re-parented to the supervisor (it is the nearest subreaper left), whether they
    called setsid or forked twice. Each round stops and kills those, which hands up the next generation.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._lock = asyncio.Lock()

    async def clear(self, process_group: int, cgroup: Cgroup = WITHOUT) -> Swept:
        """Kill every leftover, within 5 s. ``process_group`` is that of a dead, not yet reaped child.

        What is in ``cgroup`` is killed first, before it can fork or leave.

        Cancelling stops between two rounds; what is left is found by the next call.
        """
        if not cgroup.processes() and not self._leftovers():
            return Swept(0, 0)
        async with self._lock:
            # Looked for again: what another sweep has waited for meanwhile may be a stranger's number by now.
            return await self._clear(process_group, cgroup, self._leftovers())

    async def _clear(self, process_group: int, cgroup: Cgroup, leftovers: set[int]) -> Swept:
        loop = asyncio.get_running_loop()
        end = loop.time() + _BOUND_SECONDS
        killed: set[int] = set()
        while (leftovers or cgroup.processes()) and loop.time() < end:
            # In a thread: it may have to wait for a process that moves between cgroups.
            if cgroup.processes():
                killed |= await asyncio.to_thread(cgroup.kill)
            # Those that have ended by themselves are not killed by us.
            killed |= {pid for pid in leftovers if is_alive(pid)}
            # The zombie of the leader reserves the group's number: this can't reach a stranger.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process_group, signal.SIGKILL)
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in leftovers:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)
            await self._reap(leftovers, end)
            if not leftovers:  # all of them in the cgroup, and on their way out
                await asyncio.sleep(_PAUSE_SECONDS)
            leftovers = self._leftovers()
        leftovers |= cgroup.processes()
        return Swept(len(killed - leftovers), len(leftovers))

    def _leftovers(self) -> set[int]:
        children = direct_children()
        # In this order: a child that is in the list has been announced by now, as its middle process has ended.
        self._launcher.drain_births()
        return self._launcher.kin.unknown(children)

    async def _reap(self, pids: set[int], end: float) -> None:
        loop = asyncio.get_running_loop()
        waiting = set(pids)
        pause = 0.0005
        while waiting and loop.time() < end:
            waiting = {pid for pid in waiting if not _reaped(pid)}
            if waiting:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.05)


def _reaped(pid: int) -> bool:
    try:
        done, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return done == pid
