"""How the worker gets a processor before the jobs, whatever they start."""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Final

_PRIORITY: Final = 1
_taken: Final = threading.Event()


class RealtimePriority:
    """Gives all threads of this process the lowest real-time priority while jobs run, if it may (CAP_SYS_NICE).

    A bomb is many processes, and each may run as long as this one. At ordinary priority, they fork faster than this
    process notices and stops them (measured: seconds). A nice value of the children does not help if Linux shares the
    processors by session (autogroups) and every process of a bomb has its own. All threads need it: a thread that
    waits for a processor may hold the GIL. A cgroup for the service works without this priority.
    """

    def __init__(self) -> None:
        self._holders = 0

    def take(self) -> None:
        """Run before others from now on, until everybody who has called this has called `give_back`."""
        self._holders += 1
        if self._holders == 1:
            _taken.set()
            # New threads inherit it, as they must. New processes inherit it too, and give it up themselves.
            _set_policy(os.SCHED_RR, _PRIORITY)

    def give_back(self) -> None:
        """Take ordinary priority again, if nobody else needs the high one."""
        self._holders -= 1
        if self._holders == 0:
            _taken.clear()
            _set_policy(os.SCHED_OTHER, 0)


@contextlib.contextmanager
def normal_priority() -> Iterator[None]:
    """Run this thread at ordinary priority meanwhile: for a call in which the kernel waits without sleeping."""
    if not _taken.is_set() or os.sched_getscheduler(0) != os.SCHED_RR:
        yield
        return
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        yield
    finally:
        # This may be a thread of the executor, and the priority may have been given back meanwhile.
        if _taken.is_set():
            with contextlib.suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))


def _set_policy(policy: int, priority: int) -> None:
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:  # no descriptor left: a job must not fail because of it, nor lose its result
        threads = ["0"]  # this thread
    for thread in threads:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(int(thread), policy, os.sched_param(priority))
