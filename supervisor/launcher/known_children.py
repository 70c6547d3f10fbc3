"""Which processes are whose: the children that the supervisor knows, and those it has inherited."""

import os
from collections.abc import Callable
from typing import Final

from supervisor.launcher.endings import Endings
from supervisor.process.proc import children_of_thread
from supervisor.process.reaping import mark_of_waits

_MOST_LOOKS: Final = 3
"""While others are waited for all the time, as of a bomb. Each takes up to some milliseconds of the loop."""


class KnownChildren:
    """The direct children of this process that are no job's leftovers.

    The supervisor is a subreaper and so is each job's child, so an unknown direct child can only be what a job
    left behind when its child ended.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()
        self.endings = Endings()
        """Of those that were killed. Until they were waited for, they are known."""
        self._hear_orphans: set[Callable[[], object]] = set()

    def add(self, pid: int) -> None:
        """Remember a process that the supervisor started."""
        self._known.add(pid)

    def discard(self, pid: int) -> None:
        """Forget a process that was reaped."""
        self._known.discard(pid)

    def on_orphans(self, hear: Callable[[], object]) -> None:
        """Have `hear` called whenever a process is dead that has forked others: they are this process's own now.

        Those that it has not announced are nobody's, and dead or about to end: they want to be waited for.
        """
        self._hear_orphans.add(hear)

    def forker_is_dead(self) -> None:
        """Say that one of them was waited for."""
        for hear in self._hear_orphans:
            hear()

    def unknown(self, pids: set[int]) -> set[int]:
        """Return those of `pids` that are leftovers."""
        return pids - self._known


def direct_children() -> set[int]:
    """Return the pids of this process's children, the dead but unreaped included.

    The kernel lists them by thread. All are the main thread's: it starts them, and it is the first living thread, to
    which orphans are given (`find_alive_thread` in Linux's kernel/exit.c).

    The kernel goes on by position where the list's last one is gone, and begins each part of 4 KB so: while another
    thread waits for the dead, it passes over as many of the living. Then this looks again, three times in all, and
    returns all that it has seen, of which some may be gone.
    """
    pid = os.getpid()
    found: set[int] = set()
    for _ in range(_MOST_LOOKS):
        before = mark_of_waits()
        found.update(children_of_thread(pid, str(pid)))
        if before is not None and before == mark_of_waits():
            break
    return found
