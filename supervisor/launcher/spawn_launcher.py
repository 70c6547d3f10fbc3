"""Children with an interpreter of their own: half a second to start, but nothing shared, and threads do no harm."""

import os
from collections.abc import Callable
from dataclasses import replace

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import PassedDescriptor, run_spawned_child
from supervisor.errors import LaunchError
from supervisor.launcher.child import Child, Reaped
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.importer import start_template
from supervisor.launcher.interface import Imports
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.multiprocessing_spawn import Spawned
from supervisor.launcher.wiring import Wiring
from supervisor.process.shortage import explain

START_TIMEOUT_SECONDS = 60.0
"""How long an interpreter may take to import the blocks."""


class _SpawnedChild(Child):
    def __init__(self, spawned: Spawned, wiring: Wiring, known_children: KnownChildren) -> None:
        super().__init__(spawned.pid, os.pidfd_open(spawned.pid), wiring, known_children)
        self._spawned = spawned

    def reap(self) -> Reaped:
        """Wait for the dead child, and have `multiprocess` forget it."""
        reaped = super().reap()
        self._spawned.forget()
        return reaped


class SpawnLauncher:
    """Starts one interpreter for each job, through `multiprocess`."""

    def __init__(self, imports: Imports, confinement_pool: ConfinementPool | None = None) -> None:
        self.known_children = KnownChildren()
        self._imports = imports
        self._confinement_pool = confinement_pool or ConfinementPool()

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

    async def spawn_child(self) -> Child:
        """See `Launcher.spawn_child`."""
        async with self._confinement_pool.one(self._imports.confinement) as confined:
            child = self._bear(confined.confinement)
            confined.hand_over(child)
        await child.get_ready(START_TIMEOUT_SECONDS)
        return child

    def _bear(self, confinement: Confinement) -> Child:
        wiring = Wiring()
        ends = wiring.child_ends()
        passed = [PassedDescriptor(fd) for fd in (ends.channel, ends.stdout, ends.stderr, ends.dump)]
        arguments = (os.getpid(), *passed, self._imports.discovery, confinement)
        try:
            spawned = Spawned(run_spawned_child, arguments, "neops-job", self._imports.environment)
        except (OSError, RuntimeError) as error:
            wiring.close()
            raise LaunchError(f"An interpreter for a child could not be started: {explain(error)}") from error
        except BaseException:
            wiring.close()
            raise
        self.known_children.add(spawned.pid)
        try:
            child = _SpawnedChild(spawned, wiring, self.known_children)
        except OSError as error:
            wiring.close()
            spawned.take_back(self.known_children)
            raise LaunchError(
                f"A child (pid {spawned.pid}) was started but can't be watched: {explain(error)}"
            ) from error
        wiring.close_child_ends()
        return child

    def drain_starts(self) -> None:
        """See `Launcher.drain_starts`: a start is known before anything else happens."""

    async def close(self) -> None:
        """See `Launcher.close`: there are no helpers."""
        await self._confinement_pool.close()
