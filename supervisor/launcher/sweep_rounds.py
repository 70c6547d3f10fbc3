"""The rounds of one job's sweep: stop what is left, kill it, reap it."""

import signal
import time
from typing import Final

from supervisor.launcher.process_groups import ProcessGroups
from supervisor.process.proc import is_alive, kill_tree, tree_below
from supervisor.process.reaping import wait_for

_ROUND_SECONDS: Final = 0.02
_MOST_BOUNDS: Final = 4
"""How many times the bound a sweep may take if some group is not known. A bomb of a thousand processes needs a thousand
turns of a processor to end, on a busy machine for seconds. But a bomb that goes on must not keep its job for ever."""


class SweepRounds:
    """Remembers over all rounds what was killed. `killed` are those that did not end by themselves.

    `traced` are dead, and can't be reaped before their tracer lets them go: they take no resources from others.
    """

    def __init__(self, groups: ProcessGroups) -> None:
        self.killed: set[int] = set()
        self.traced: set[int] = set()
        self._groups = groups
        self._doomed: set[int] = set()
        self._bound_seconds = self._end = self._last_end = 0.0

    def begin(self, bound_seconds: float) -> None:
        """Give up when nothing has ended for `bound_seconds`.

        If some group of the job is not known, an end counts only if nothing new appeared, up to four times the bound.
        """
        now = time.monotonic()
        self._bound_seconds = bound_seconds
        self._end = now + bound_seconds
        self._last_end = now + _MOST_BOUNDS * bound_seconds

    def is_over(self) -> bool:
        """Whether to give up."""
        return time.monotonic() > self._end

    def go_over(self, leftovers: set[int]) -> None:
        """Kill the leftovers, with all below them, and wait a moment for their end."""
        living = {pid for pid in leftovers if is_alive(pid)}
        # A process with SIGKILL needs a processor to end. This must not take it away.
        alive = living - self._doomed
        has_grown = bool(alive)
        killed = self._kill(alive) if alive else set()
        self.killed |= killed
        # Don't wait until all are dead: missed processes multiply meanwhile.
        reaped = reap(leftovers, time.monotonic() + _ROUND_SECONDS)
        self._doomed = (self._doomed | killed) - reaped
        if reaped:
            self._extend(has_grown)
        self.traced = leftovers - living - reaped

    def _extend(self, has_grown: bool) -> None:
        """Something has ended: go on longer. If some group is not known, it may be part of a bomb that goes on."""
        end = time.monotonic() + self._bound_seconds
        if self._groups.complete:
            self._end = end
        elif not has_grown:
            self._end = min(end, self._last_end)

    def _kill(self, alive: set[int]) -> set[int]:
        reached: set[int] = set()
        if self._groups.complete:
            # The whole job is stopped: this finds its processes. Those that it misses are in a group too.
            reached = {pid for pid in tree_below(alive).parents if self._groups.has(pid)}
            self._groups.send(signal.SIGKILL)
        alive -= reached
        now = time.monotonic()
        # Stopping them may take all the time that is left. Half of it is kept for them to die.
        killed = kill_tree(alive, now + max(self._end - now, 0.0) / 2) if alive else set()
        if not self._groups.complete:
            self._groups.send(signal.SIGKILL)
        return reached | alive | killed


def reap(pids: set[int], end: float) -> set[int]:
    """Reap those that end before `end`, and return them."""
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
