"""Which processes are whose: the children that the supervisor knows, and those it has inherited."""

import os
from typing import Final

import psutil
from multiprocess import resource_tracker

_CHILDREN_OF_MAIN_THREAD: Final = "/proc/{pid}/task/{pid}/children"


class Kin:
    """The direct children of this process that are no job's leftovers.

    The supervisor is a subreaper and so is each job's child, so an unknown direct child can only be what a job
    left behind when its child ended.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()

    def add(self, pid: int) -> None:
        """Remember a process that the supervisor started."""
        self._known.add(pid)

    def discard(self, pid: int) -> None:
        """Forget a process that was reaped."""
        self._known.discard(pid)

    def unknown(self, pids: set[int]) -> set[int]:
        """Return those of ``pids`` that are leftovers."""
        # multiprocess starts its tracker when it likes; it is never a job's.
        tracker = getattr(resource_tracker._resource_tracker, "_pid", None)
        return pids - self._known - {tracker}


def direct_children() -> set[int]:
    """Return the pids of this process's children, the dead but unreaped included.

    The kernel lists them by thread. All are the main thread's: it starts them, and it is the first living thread, to
    which orphans are given (`find_alive_thread` in Linux's kernel/exit.c).
    """
    try:
        with open(_CHILDREN_OF_MAIN_THREAD.format(pid=os.getpid())) as file:
            return {int(pid) for pid in file.read().split()}
    except FileNotFoundError:
        # A kernel without CONFIG_PROC_CHILDREN: slower, by a scan of all processes.
        return {child.pid for child in psutil.Process().children()}
