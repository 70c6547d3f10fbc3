"""Getting a processor before the jobs do, whatever they start."""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Final

_PRIORITY: Final = 1
_taken: Final = threading.Event()


class RealtimePriority:
    """Gives all threads of this process the lowest real-time priority while jobs run, where it may (CAP_SYS_NICE).

    A bomb is many processes, each of which may run as long as this one does: at ordinary priority, noticing and
    stopping them is slower than their forking (measured: seconds). That children are nice does not help where Linux
    shares the processors by session (autogroups) and every process of a bomb has its own. All threads, since one that
    waits for a processor may hold what another needs (the GIL). What does without is a cgroup for the service.
    """

    def __init__(self) -> None:
        self._holders = 0

    def take(self) -> None:
        """Go before others from now on, until as many have given it back as have taken it."""
        self._holders += 1
        if self._holders == 1:
            _taken.set()
            # Threads that are started meanwhile inherit it, as they must; processes too, and give it up themselves.
            _set_policy(os.SCHED_RR, _PRIORITY)

    def give_back(self) -> None:
        """Be one of many again, if nobody else needs it."""
        self._holders -= 1
        if self._holders == 0:
            _taken.clear()
            _set_policy(os.SCHED_OTHER, 0)


@contextlib.contextmanager
def normal_priority() -> Iterator[None]:
    """Let this thread be one of many meanwhile: for a call in which the kernel waits for others without sleeping."""
    if not _taken.is_set() or os.sched_getscheduler(0) != os.SCHED_RR:
        yield
        return
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        yield
    finally:
        # In a thread of the executor, the priority may have been given back meanwhile.
        if _taken.is_set():
            with contextlib.suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))


def _set_policy(policy: int, priority: int) -> None:
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:  # no descriptor left: a job must neither fail for it nor lose its result
        threads = ["0"]  # this thread
    for thread in threads:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(int(thread), policy, os.sched_param(priority))
