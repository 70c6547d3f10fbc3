"""Stops a job that multiplies, so that it can be looked at and killed without haste."""

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
    """Let the child write its stack and end quickly, and start nothing more, if the kernel can forbid it.

    Without a processor of its own the child would share it with missed processes, which multiply meanwhile. What it
    starts does not inherit the priority (SCHED_RESET_ON_FORK). Each step needs a privilege, or a child without one.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    with contextlib.suppress(OSError):
        resource.prlimit(pid, resource.RLIMIT_NPROC, (0, 0))


async def freeze(child: Child) -> None:
    """Stop all processes of the job. After this come the child's stack and its end. At most about a second.

    The child is not reaped while this runs: no other process can get its number, or its group's.
    """
    child.groups.hold()
    child.groups.send(signal.SIGSTOP)
    if not child.groups.complete:
        await asyncio.to_thread(stop_tree, (child.pid,), time.monotonic() + _BOUND_SECONDS)
    _hold(child.pid)


async def kill_what_it_started(child: Child) -> None:
    """Kill all that a frozen job has started, right before its child. At most about a second.

    If all its groups are known this is not needed: they are stopped. Otherwise some processes may have been missed. As
    long as these fork, the child can't end: each fork and each end waits for kernel locks that one family shares.
    """
    if not child.groups.complete:
        await asyncio.to_thread(kill_below, child.pid, time.monotonic() + _BOUND_SECONDS)
