"""Children with their own interpreter: half a second to start, but nothing is shared, and threads do no harm."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import PassedDescriptor
from supervisor.errors import LaunchError
from supervisor.launcher.child import Child
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.importer import start_template
from supervisor.launcher.interface import Imports
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.spawned_middle import SpawnedMiddle, end_child
from supervisor.launcher.wiring import Wiring
from supervisor.process.shortage import explain
from supervisor.process.time_limit import time_limit

_ENDING: Final = "end of an interpreter"

START_TIMEOUT_SECONDS = 60.0
"""How long an interpreter may take to start, and then to import the blocks."""


class SpawnLauncher:
    """Starts one interpreter for each job, through `multiprocess`."""

    def __init__(self, imports: Imports, confinement_pool: ConfinementPool | None = None) -> None:
        self.known_children = KnownChildren()
        self._imports = imports
        self._confinement_pool = confinement_pool or ConfinementPool()
        self._middles: set[SpawnedMiddle] = set()

    async def start(self) -> Catalogue:
        """See `Launcher.start`. The process that imports the blocks for the catalogue is ended afterwards."""
        return await self.reload(self._imports, lambda _: None)

    async def reload(self, imports: Imports, accept: Callable[[Catalogue], None]) -> Catalogue:
        """See `Launcher.reload`."""
        template, catalogue = await start_template(imports, self.known_children)
        await template.end()
        accept(catalogue)
        broken = tuple(problem.module for problem in catalogue.problems if problem.kind in {"hang", "crash"})
        self._imports = replace(imports, discovery=replace(imports.discovery, skip_modules=broken))
        return catalogue

    async def spawn_child(self, *, rehearses: bool = True) -> Child:
        """See `Launcher.spawn_child`. The child always rehearses: that takes little time beside the imports."""
        async with self._confinement_pool.one(self._imports.confinement) as confined:
            child = await self._start_child(confined.confinement)
            confined.hand_over(child)
        await child.get_ready(START_TIMEOUT_SECONDS)
        return child

    async def _start_child(self, confinement: Confinement) -> Child:
        wiring = Wiring()
        try:
            pid = await self._request_child(wiring, confinement)
        except BaseException:
            wiring.close()
            raise
        try:
            child = Child(pid, os.pidfd_open(pid), wiring, self.known_children)
        except OSError as error:
            wiring.close()
            await self.known_children.endings.see(end_child(pid, self.known_children), "end of a child")
            raise LaunchError(
                f"A child (pid {pid}) was started but can't be watched: {explain(error)}"
            ) from error
        wiring.close_child_ends()
        return child

    async def _request_child(self, wiring: Wiring, confinement: Confinement) -> int:
        ends = wiring.child_ends()
        passed = (PassedDescriptor(fd) for fd in (ends.channel, ends.stdout, ends.stderr, ends.dump))
        arguments = (*passed, self._imports.discovery, confinement, self._imports.isolation)
        middle = SpawnedMiddle(arguments, self._imports.environment, self.known_children)
        self._middles.add(middle)
        try:
            async with time_limit(START_TIMEOUT_SECONDS):
                # Not awaited directly: a cancellation would cancel it too, and nobody would hear of an announced child.
                await asyncio.wait((middle.child_pid,))
            pid = middle.child_pid.result()
            await self.known_children.endings.see(middle.end(), _ENDING)
        except BaseException as error:
            await self.known_children.endings.see(middle.give_up(), _ENDING)
            if isinstance(error, TimeoutError):
                how = f"did not start a child within {START_TIMEOUT_SECONDS:g} s"
                raise LaunchError(f"An interpreter (pid {middle.pid}) {how}.") from error
            raise
        finally:
            self._middles.discard(middle)
        return pid

    def look_anew(self) -> None:
        """See `Launcher.look_anew`: each child looks itself."""

    def drain_starts(self) -> frozenset[int]:
        """See `Launcher.drain_starts`. A middle process announces its child before this process becomes its parent."""
        for middle in self._middles:
            middle.hear()
        return frozenset()

    async def close(self) -> None:
        """See `Launcher.close`: there are no helpers, only killed processes that are not dead yet."""
        await self.known_children.endings.close()
        await self._confinement_pool.close()
