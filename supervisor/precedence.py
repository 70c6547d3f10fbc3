"""Getting a processor before the jobs do, whatever they start."""

import contextlib
import os
from typing import Final

_PRIORITY: Final = 1


class Precedence:
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
            # Threads that are started meanwhile inherit it, as they must; processes too, and give it up themselves.
            _set_policy(os.SCHED_RR, _PRIORITY)

    def give_back(self) -> None:
        """Be one of many again, if nobody else needs it."""
        self._holders -= 1
        if self._holders == 0:
            _set_policy(os.SCHED_OTHER, 0)


def _set_policy(policy: int, priority: int) -> None:
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(int(thread), policy, os.sched_param(priority))
