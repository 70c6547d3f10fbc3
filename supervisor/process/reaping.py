"""Waits for dead children, at ordinary priority."""

import contextlib
import os
import resource
import threading
from collections.abc import Iterator

from supervisor.process.realtime_priority import normal_priority


class _Waits:
    """Counts the waits of all threads. No lock is held during a wait, which may take long."""

    def __init__(self) -> None:
        self._begun = self._ended = 0
        self._counting = threading.Lock()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        with self._counting:
            self._begun += 1
        try:
            yield
        finally:
            with self._counting:
                self._ended += 1

    def mark(self) -> int | None:
        with self._counting:
            return self._begun if self._begun == self._ended else None


_waits = _Waits()


def mark_of_waits() -> int | None:
    """Return a number that stays the same while no thread waits for a child; `None` while one does."""
    return _waits.mark()


def wait_for(pid: int, options: int = os.WNOHANG) -> tuple[int, int, resource.struct_rusage]:
    """Same as `os.wait4`, but at ordinary priority, whatever priority this process has taken.

    When a process with several threads is dead, its last thread may still be removing its entries of /proc, at the
    child's own low priority and on this processor. To reap the process, the kernel waits for those entries in a loop
    that never sleeps (`shrink_dcache_parent`). A thread with real-time priority would keep the processor from the very
    thread that it waits for, until the kernel takes the processor away: measured, 0.95 s (sched_rt_runtime_us). In this
    time neither heartbeat nor limits would go on.

    Raises `ChildProcessError` as `os.wait4` does.
    """
    with normal_priority(), _waits.counted():
        return os.wait4(pid, options)


def is_child(pid: int) -> bool:
    """Whether it is a child of this process, even one that has ended and was not waited for."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
