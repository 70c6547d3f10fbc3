"""Killing what a dead child left behind: its cgroup where it has one, and what is not, or no longer, in it."""

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass
from typing import Final

from supervisor.cgroups.cgroup import WITHOUT, Cgroup
from supervisor.launcher.interface import Launcher
from supervisor.launcher.kin import direct_children
from supervisor.processes import is_alive, kill_tree
from supervisor.reaping import wait_for

_BOUND_SECONDS: Final = 5.0
_ROUND_SECONDS: Final = 0.02
_PAUSE_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class Swept:
    """How many processes were killed, and how many could not be."""

    killed: int
    remaining: int


class Sweeper:
    """Clears the tree below children that have ended.

    A dead child's descendants are re-parented to the supervisor (it is the nearest subreaper left), whether they
    called setsid or forked twice. Each round stops all below those, then kills it; what it missed is handed up.
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
        end = asyncio.get_running_loop().time() + _BOUND_SECONDS
        killed: set[int] = set()
        while (leftovers or cgroup.processes()) and time.monotonic() < end:
            # In a thread: it may have to wait for a process that moves between cgroups.
            if cgroup.processes():
                killed |= await asyncio.to_thread(cgroup.kill)
            # In a thread: of a bomb, thousands are read, signalled and waited for. Only this sweep waits for them, so
            # their numbers can't become a stranger's meanwhile.
            killed |= await asyncio.to_thread(_kill_and_reap, process_group, leftovers, end)
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


def _kill_and_reap(process_group: int, leftovers: set[int], end: float) -> set[int]:
    """Kill the leftovers, with all below them, and wait a moment. Returns those that did not end by themselves."""
    alive = {pid for pid in leftovers if is_alive(pid)}
    # In one go for all in the job's own group, which nothing can outrun by forking. The zombie of the leader
    # reserves the group's number: this can't reach a stranger.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process_group, signal.SIGKILL)
    killed = kill_tree(leftovers, end)
    # Not until all are dead: what was missed multiplies meanwhile.
    _reap(leftovers, time.monotonic() + _ROUND_SECONDS)
    return alive | killed


def _reap(pids: set[int], end: float) -> None:
    waiting = set(pids)
    pause = 0.0005
    while waiting := {pid for pid in waiting if not _reaped(pid)}:
        if time.monotonic() > end:
            return
        time.sleep(pause)
        pause *= 2


def _reaped(pid: int) -> bool:
    try:
        done, _, _ = wait_for(pid)
    except ChildProcessError:
        return True
    return done == pid
