"""Which processes belong to whom: the children that the supervisor knows, and those that it has inherited."""

import os
from collections.abc import Callable
from typing import Final

from supervisor.launcher.endings import Endings
from supervisor.process.proc import children_of_thread
from supervisor.process.reaping import mark_of_waits

_MOST_LOOKS: Final = 3
"""The most looks while a thread reaps all the time, as after a bomb. Each takes up to some milliseconds of the loop."""


class KnownChildren:
    """The direct children of this process that are not a job's leftovers.

    The supervisor is a subreaper and so is each job's child. So an unknown direct child can only be something that a
    job left behind when its child ended.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()
        self.endings = Endings()
        """The ends of killed processes. They stay known until they are reaped."""
        self._hear_orphans: set[Callable[[], object]] = set()

    def add(self, pid: int) -> None:
        """Remember a process that the supervisor started."""
        self._known.add(pid)

    def discard(self, pid: int) -> None:
        """Forget a process that was reaped."""
        self._known.discard(pid)

    def on_orphans(self, hear: Callable[[], object]) -> None:
        """Call `hear` whenever a process is dead that has forked: its children are this process's own now.

        Children that it has not announced belong to nobody. They are dead or about to end, and must be reaped.
        """
        self._hear_orphans.add(hear)

    def forker_is_dead(self) -> None:
        """Say that a forker was reaped."""
        for hear in self._hear_orphans:
            hear()

    def unknown(self, pids: set[int]) -> set[int]:
        """Return those of `pids` that are leftovers."""
        return pids - self._known


def direct_children() -> set[int]:
    """Return the pids of this process's children, with unreaped dead ones.

    The kernel lists them by thread. All belong to the main thread: it starts them, and it is the first living thread,
    which gets orphans (`find_alive_thread` in Linux's kernel/exit.c).

    The kernel lists them in parts of 4 KB. If the last child of a part is gone, it goes on by position. So while
    another thread reaps the dead, the kernel skips as many living ones. Then this looks again, three times in all, and
    returns all pids that it has seen. Some of them may be gone.
    """
    pid = os.getpid()
    found: set[int] = set()
    for _ in range(_MOST_LOOKS):
        before = mark_of_waits()
        found.update(children_of_thread(pid, str(pid)))
        if before is not None and before == mark_of_waits():
            break
    return found
