"""What can't be killed, or not even looked for, at a job's end, until it is gone."""

import asyncio
from typing import Final

from supervisor.launcher.child import Child
from supervisor.launcher.ownership import JobProcesses
from supervisor.launcher.sweep import Sweeper

_LOOK_AGAIN_SECONDS: Final = 0.5
"""How often it is looked at. Its slot is used again that much later at most."""


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
