"""Killing what a dead child left behind: its cgroup where it has one, and what is not, or no longer, in it."""

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import Final

from supervisor.launcher.interface import Launcher
from supervisor.launcher.known_children import direct_children
from supervisor.launcher.process_groups import ProcessGroups
from supervisor.process.cgroups.cgroup import WITHOUT, Cgroup
from supervisor.process.proc import is_alive, kill_tree, tree_below
from supervisor.process.reaping import wait_for

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

    async def clear(self, groups: ProcessGroups, cgroup: Cgroup = WITHOUT) -> Swept:
        """Kill every leftover. ``groups`` are those of a dead, not yet reaped child, and are stopped at once.

        Gives up after 5 s; where all groups of the job are known, after 5 s in which nothing has ended. What is in
        ``cgroup`` is killed first, before it can fork or leave.

        Cancelling stops between two rounds; what is left is found by the next call.
        """
        groups.hold()
        groups.send(signal.SIGSTOP)
        if not cgroup.processes() and not self._leftovers():
            return Swept(0, 0)
        async with self._lock:
            # Looked for again: what another sweep has waited for meanwhile may be a stranger's number by now.
            return await self._clear(groups, cgroup, self._leftovers())

    async def _clear(self, groups: ProcessGroups, cgroup: Cgroup, leftovers: set[int]) -> Swept:
        sweep = _Sweep(groups)
        while (leftovers or cgroup.processes()) and not sweep.is_over():
            # In a thread: it may have to wait for a process that moves between cgroups.
            if cgroup.processes():
                sweep.killed |= await asyncio.to_thread(cgroup.kill)
            # In a thread: of a bomb, thousands are read, signalled and waited for. Only this sweep waits for them, so
            # their numbers can't become a stranger's meanwhile.
            await asyncio.to_thread(sweep.go_over, leftovers)
            if not leftovers:  # all of them in the cgroup, and on their way out
                await asyncio.sleep(_PAUSE_SECONDS)
            leftovers = self._leftovers()
        leftovers |= cgroup.processes()
        return Swept(len(sweep.killed - leftovers), len(leftovers))

    def _leftovers(self) -> set[int]:
        children = direct_children()
        # In this order: a child that is in the list has been announced by now, as its middle process has ended.
        self._launcher.drain_starts()
        return self._launcher.known_children.unknown(children)


class _Sweep:
    """The rounds of one sweep. ``killed`` are those that did not end by themselves."""

    def __init__(self, groups: ProcessGroups) -> None:
        self.killed: set[int] = set()
        self._groups = groups
        self._doomed: set[int] = set()
        self._end = time.monotonic() + _BOUND_SECONDS

    def is_over(self) -> bool:
        """Whether to give up."""
        return time.monotonic() > self._end

    def go_over(self, leftovers: set[int]) -> None:
        """Kill the leftovers, with all below them, and wait a moment for their end."""
        # What has SIGKILL needs a processor to end, which this must not take from it.
        alive = {pid for pid in leftovers - self._doomed if is_alive(pid)}
        killed = self._kill(alive) if alive else set()
        self.killed |= killed
        # Not until all are dead: what was missed multiplies meanwhile.
        reaped = _reap(leftovers, time.monotonic() + _ROUND_SECONDS)
        self._doomed = (self._doomed | killed) - reaped
        if reaped and self._groups.complete:  # else they may be the dead of a bomb that goes on
            self._end = time.monotonic() + _BOUND_SECONDS

    def _kill(self, alive: set[int]) -> set[int]:
        reached: set[int] = set()
        if self._groups.complete:
            # All of the job is stopped: this sees who there is. What it misses all the same is in a group too.
            reached = {pid for pid in tree_below(alive).parents if self._groups.has(pid)}
            self._groups.send(signal.SIGKILL)
        alive -= reached
        killed = kill_tree(alive, self._end) if alive else set()
        if not self._groups.complete:
            self._groups.send(signal.SIGKILL)
        return reached | alive | killed


def _reap(pids: set[int], end: float) -> set[int]:
    """Wait for those that end before ``end``, and return them."""
    waiting = set(pids)
    pause = 0.0005
    while waiting := {pid for pid in waiting if not _reaped(pid)}:
        if time.monotonic() > end:
            break
        time.sleep(pause)
        pause *= 2
    return pids - waiting


def _reaped(pid: int) -> bool:
    try:
        done, _, _ = wait_for(pid)
    except ChildProcessError:
        return True
    return done == pid
