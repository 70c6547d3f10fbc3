"""The cgroups of a whole worker: detected at its start, one for each child, removed at its end."""

import asyncio
import contextlib
import itertools
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from supervisor.log.event import tell
from supervisor.log.events.processes import (
    CgroupFailed,
    CgroupsFailed,
    CgroupsFound,
    CgroupStuck,
    CgroupsUnrecorded,
    LeftoversCleared,
)
from supervisor.process.cgroups import leftovers
from supervisor.process.cgroups.cgroup import WITHOUT, Cgroup, child_name
from supervisor.process.cgroups.detection import Detected, detect, own_cgroups
from supervisor.process.cgroups.files import kill_and_remove
from supervisor.process.cgroups.identity import MARKER_VARIABLE, directory_name, identity_of
from supervisor.process.cgroups.removals import CgroupRemovals
from supervisor.process.kept import keeper_pid, leave_to_keeper
from supervisor.process.threads import started_pool

_log = logging.getLogger(__name__)

_END_SECONDS: Final = 2.0
_FALL_BACK: Final = "The worker kills by process groups, searches for orphans, and samples memory instead."


class Cgroups:
    """Makes children's cgroups. Without trees it returns `WITHOUT`.

    Raises `StartRefusedError` if its thread can't be started.
    """

    def __init__(self, detected: Detected) -> None:
        self._detected = detected
        self._numbers = itertools.count(1)
        # One thread, in order: a child's cgroup is removed after it was made.
        self._thread = started_pool(1, "cgroups")
        self._removals = CgroupRemovals(self._thread)
        self._complained = False

    def new(self) -> Cgroup:
        """Return a cgroup for a child; it exists when the child has joined it."""
        if not self._detected.trees:
            return WITHOUT
        name = child_name(next(self._numbers))
        return Cgroup(self._detected.trees, name, self._thread, self._complain, self._removals)

    def _complain(self, text: str) -> None:
        # Only the first one is a warning: one for each child would fill the log.
        level = logging.DEBUG if self._complained else logging.WARNING
        self._complained = True
        tell(_log, CgroupFailed(reason=text), level=level)

    def close(self) -> None:
        """Kill what is still in the cgroups and remove them all. Blocks, for at most a few seconds."""
        self._thread.shutdown(wait=True)
        for tree in self._detected.trees:
            _, gone = kill_and_remove(tree.directory, _END_SECONDS)
            if not gone:
                tell(_log, CgroupStuck(path=str(tree.directory)))
        self._detected.give_back()


@contextlib.asynccontextmanager
async def cgroups_of_worker(state_directory: Path, wanted: bool) -> AsyncIterator[Cgroups]:
    """Clear what an earlier run has left, and provide cgroups for as long as the context lasts.

    Enter it before any process is started (this process may have to move), and while the state directory is locked. It
    puts this worker's mark into its environment, and `launcher.environment` passes it on to jobs: the next start
    recognises them by it. `wanted` is false for `--cgroups off`; then an earlier run is cleared too.
    """
    cgroups = await asyncio.to_thread(_open, state_directory, wanted)
    try:
        yield cgroups
    finally:
        await asyncio.to_thread(cgroups.close)


def _open(state_directory: Path, wanted: bool) -> Cgroups:
    try:
        identity = identity_of(state_directory)
        os.environ[MARKER_VARIABLE] = identity
        own = own_cgroups()
        cleared = leftovers.clear(state_directory, identity, [Path(one.path) for one in own])
        if cleared:
            tell(
                _log,
                LeftoversCleared(processes=cleared.killed, cgroups=cleared.removed, stuck=cleared.stuck),
            )
        if not wanted:
            tell(_log, CgroupsFound(cgroups="none (--cgroups off)", consequence=_FALL_BACK))
            return Cgroups(Detected())
    except OSError as error:
        tell(_log, CgroupsFailed(reason=str(error), consequence=_FALL_BACK))
        return Cgroups(Detected())
    detected = detect(own, directory_name(identity), {os.getpid(), keeper_pid() or os.getpid()})
    directories = [tree.directory for tree in detected.trees]
    try:
        leave_to_keeper(directories)
        leftovers.record(state_directory, directories)
    except OSError as error:
        tell(_log, CgroupsUnrecorded(reason=str(error)))
    _tell(detected)
    return Cgroups(detected)


def _tell(detected: Detected) -> None:
    why = "; ".join(detected.reasons)
    if not detected.trees:
        found = CgroupsFound(cgroups=f"none ({why or 'none is offered here'})", consequence=_FALL_BACK)
    elif "memory" in str(detected):
        found = CgroupsFound(
            cgroups=str(detected), consequence=f"Not all that there could be: {why}." if why else ""
        )
    else:
        sampled = f"Memory is sampled ({why or 'no controller for it is offered'})."
        found = CgroupsFound(cgroups=str(detected), consequence=sampled)
    tell(_log, found)
