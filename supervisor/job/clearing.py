"""The end of a job's processes: kills what its dead child has left, then reaps the child.

If something can't be killed, or not even looked for, it looks again until that is gone.
"""

import asyncio
import logging
import time
from typing import Final

from supervisor.launcher.child import Child
from supervisor.launcher.ownership import JobProcesses
from supervisor.launcher.sweep import Sweeper, Swept
from supervisor.lifecycle.events import TreeCleared
from supervisor.log.event import tell
from supervisor.log.events.jobs import LeftoversNotSearched

_log = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS: Final = 0.5
"""How often it looks at what can't be killed. Its slot is used again at most so much later."""


def clear_if_empty(child: Child, sweeper: Sweeper, processes: JobProcesses) -> TreeCleared | None:
    """Do the work of `clear_tree` at once, if a look shows that nothing is left. `None`: call `clear_tree`."""
    try:
        is_empty = sweeper.clear_if_empty(processes)
    except OSError:  # `clear_tree` will meet it too, and report it
        return None
    return _cleared(child, Swept(0, 0)) if is_empty else None


async def clear_tree(child: Child, sweeper: Sweeper, processes: JobProcesses) -> TreeCleared:
    """Kill what is left of a job whose child is dead. Return what was found, and the kernel's figures of the child.

    Cancelling it leaves the child a zombie.
    """
    try:
        swept = await sweeper.clear(processes)
    except OSError:  # no descriptor is left to look into /proc with
        tell(_log, LeftoversNotSearched(pid=child.pid), error=True)
        # Not reaped: the zombie keeps its numbers for the search that `wait_until_gone` repeats.
        out_of_memory = child.cgroup.out_of_memory()
        return TreeCleared(time.monotonic(), searched=False, out_of_memory=out_of_memory)
    return _cleared(child, swept)


def _cleared(child: Child, swept: Swept) -> TreeCleared:
    # Only now: until here the zombie kept other processes from getting the number of its process group.
    reaped = child.reap()
    return TreeCleared(
        time.monotonic(),
        swept.killed,
        swept.remaining,
        reaped.peak_memory_mb,
        reaped.cpu_seconds,
        child.cgroup.out_of_memory(),
        reaped.status,
    )


async def wait_until_gone(child: Child, sweeper: Sweeper, processes: JobProcesses) -> None:
    """Wait until nothing is left of a job that has its result: neither the child nor what it has started.

    May be cancelled. It looks again and again: nothing reports when a process that is stuck in the kernel ends.
    """
    await asyncio.wait((child.exited,))  # not awaited directly: a cancellation would cancel it for everybody
    while await _remains(sweeper, processes):  # noqa: ASYNC110  # no event tells of it
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    child.reap()
    sweeper.leave(processes)


async def _remains(sweeper: Sweeper, processes: JobProcesses) -> bool:
    try:
        return (await sweeper.clear(processes, bound_seconds=0.0)).remaining > 0
    except OSError:  # no descriptor is left to look into /proc with
        return True
