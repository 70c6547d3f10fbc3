"""The end of a job's processes: what its dead child has left is killed, then the child is waited for.

What can't be killed, or not even looked for, is looked at again until it is gone.
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
"""How often what can't be killed is looked at. Its slot is used again that much later at most."""


def clear_if_empty(child: Child, sweeper: Sweeper, processes: JobProcesses) -> TreeCleared | None:
    """Do what `clear_tree` does, at once, where a look shows that nothing is left. `None` where it takes that one."""
    try:
        is_empty = sweeper.clear_if_empty(processes)
    except OSError:  # which that one will meet, and tell of
        return None
    return _cleared(child, Swept(0, 0)) if is_empty else None


async def clear_tree(child: Child, sweeper: Sweeper, processes: JobProcesses) -> TreeCleared:
    """Kill what is left of a job whose child is dead, and return what was found, and what the kernel says of the child.

    Cancelling it leaves the child a zombie.
    """
    try:
        swept = await sweeper.clear(processes)
    except OSError:  # no descriptor left to look into /proc with
        tell(_log, LeftoversNotSearched(pid=child.pid), error=True)
        # Not waited for: its zombie keeps its numbers for the search that `wait_until_gone` tries again.
        out_of_memory = child.cgroup.out_of_memory()
        return TreeCleared(time.monotonic(), searched=False, out_of_memory=out_of_memory)
    return _cleared(child, swept)


def _cleared(child: Child, swept: Swept) -> TreeCleared:
    # Only now: the zombie kept the number of its process group from being given to a stranger.
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
    """Wait until nothing is left of a job that has its result: the child itself, or what it has started.

    May be cancelled. It is looked for again and again: what is stuck in the kernel tells nobody when it ends.
    """
    await asyncio.wait((child.exited,))  # awaited by itself, it would be cancelled with this, for everybody
    while await _remains(sweeper, processes):  # noqa: ASYNC110  # no event tells of it
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    child.reap()
    sweeper.leave(processes)


async def _remains(sweeper: Sweeper, processes: JobProcesses) -> bool:
    try:
        return (await sweeper.clear(processes, bound_seconds=0.0)).remaining > 0
    except OSError:  # no descriptor left to look into /proc with
        return True
