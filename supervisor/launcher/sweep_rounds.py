"""The rounds of one job's sweep: stop what is left, kill it, wait for it."""

import signal
import time
from typing import Final

from supervisor.launcher.process_groups import ProcessGroups
from supervisor.process.proc import is_alive, kill_tree, tree_below
from supervisor.process.reaping import wait_for

_ROUND_SECONDS: Final = 0.02


class SweepRounds:
    """Remembers from round to round what was killed. `killed` are those that did not end by themselves.

    `traced` are dead, and can't be waited for before somebody else lets them go: they take nobody's place.
    """

    def __init__(self, groups: ProcessGroups) -> None:
        self.killed: set[int] = set()
        self.traced: set[int] = set()
        self._groups = groups
        self._doomed: set[int] = set()
        self._bound_seconds = self._end = 0.0

    def begin(self, bound_seconds: float) -> None:
        """Give up in so many seconds; where all groups of the job are known, so long after something has ended."""
        self._bound_seconds = bound_seconds
        self._end = time.monotonic() + bound_seconds

    def is_over(self) -> bool:
        """Whether to give up."""
        return time.monotonic() > self._end

    def go_over(self, leftovers: set[int]) -> None:
        """Kill the leftovers, with all below them, and wait a moment for their end."""
        living = {pid for pid in leftovers if is_alive(pid)}
        # What has SIGKILL needs a processor to end, which this must not take from it.
        alive = living - self._doomed
        killed = self._kill(alive) if alive else set()
        self.killed |= killed
        # Not until all are dead: what was missed multiplies meanwhile.
        reaped = reap(leftovers, time.monotonic() + _ROUND_SECONDS)
        self._doomed = (self._doomed | killed) - reaped
        if reaped and self._groups.complete:  # else they may be the dead of a bomb that goes on
            self._end = time.monotonic() + self._bound_seconds
        self.traced = leftovers - living - reaped

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


def reap(pids: set[int], end: float) -> set[int]:
    """Wait for those that end before `end`, and return them."""
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
