"""Stopping a job that multiplies, so that it can be looked at and killed in peace."""

import asyncio
import contextlib
import os
import resource
import signal
import time
from typing import Final

from supervisor.launcher.child import Child
from supervisor.process.proc import kill_below, stop_tree

_BOUND_SECONDS: Final = 1.0


def _hold(pid: int) -> None:
    """Have the child be quick about its stack and its end, and start nothing more where the kernel can forbid it.

    Without a processor of its own it would share what there is with what was missed, which multiplies meanwhile. What
    it starts has no part in it (SCHED_RESET_ON_FORK). Each needs a privilege, or a child without one.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    with contextlib.suppress(OSError):
        resource.prlimit(pid, resource.RLIMIT_NPROC, (0, 0))


async def freeze(child: Child) -> None:
    """Stop all processes of the job. What follows is the child's stack and its end. At most about a second.

    The child is not reaped while this runs: its number, and that of its group, are no stranger's.
    """
    child.groups.hold()
    child.groups.send(signal.SIGSTOP)
    if not child.groups.complete:
        await asyncio.to_thread(stop_tree, (child.pid,), time.monotonic() + _BOUND_SECONDS)
    _hold(child.pid)


async def kill_what_it_started(child: Child) -> None:
    """Kill all that a frozen job has started, right before its child. At most about a second.

    Not where all its groups are known: they are stopped. Else some may have been missed, and as long as these fork, the
    child can't end: each fork and each end waits for locks in the kernel that all of one family have together.
    """
    if not child.groups.complete:
        await asyncio.to_thread(kill_below, child.pid, time.monotonic() + _BOUND_SECONDS)
