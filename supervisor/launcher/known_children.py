"""Which processes are whose: the children that the supervisor knows, and those it has inherited."""

import os

from supervisor.launcher.endings import Endings
from supervisor.process.proc import children_of_thread


class KnownChildren:
    """The direct children of this process that are no job's leftovers.

    The supervisor is a subreaper and so is each job's child, so an unknown direct child can only be what a job
    left behind when its child ended.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()
        self.endings = Endings()
        """Of those that were killed. Until they were waited for, they are known."""

    def add(self, pid: int) -> None:
        """Remember a process that the supervisor started."""
        self._known.add(pid)

    def discard(self, pid: int) -> None:
        """Forget a process that was reaped."""
        self._known.discard(pid)

    def unknown(self, pids: set[int]) -> set[int]:
        """Return those of `pids` that are leftovers."""
        return pids - self._known


def direct_children() -> set[int]:
    """Return the pids of this process's children, the dead but unreaped included.

    The kernel lists them by thread. All are the main thread's: it starts them, and it is the first living thread, to
    which orphans are given (`find_alive_thread` in Linux's kernel/exit.c).
    """
    pid = os.getpid()
    return set(children_of_thread(pid, str(pid)))
