"""Waiting for the dead, at ordinary priority."""

import os
import resource

from supervisor.process.realtime_priority import normal_priority


def wait_for(pid: int, options: int = os.WNOHANG) -> tuple[int, int, resource.struct_rusage]:
    """Do as `os.wait4`, and as any other process, whatever precedence this one has taken.

    When a process with several threads is dead, the last of them may still be clearing away its entries of /proc,
    at the child's own low priority and on this processor. To reap the process, the kernel waits for those entries in
    a loop that never sleeps (`shrink_dcache_parent`). A thread with real-time priority so keeps away the very one
    that it waits for, until the kernel takes the processor from it: measured, 0.95 s (sched_rt_runtime_us), in which
    neither heartbeat nor limits went on.

    Raises `ChildProcessError` as `os.wait4` does.
    """
    with normal_priority():
        return os.wait4(pid, options)


def is_child(pid: int) -> bool:
    """Whether it is a child of this process, also one that has ended and was not waited for."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
