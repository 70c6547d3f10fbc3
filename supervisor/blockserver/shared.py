"""One launcher of several in one process."""

from collections.abc import Callable, Sequence

from jobrunner.protocol.catalogue import Catalogue
from supervisor.launcher import Child, Imports, Launcher
from supervisor.launcher.kin import Kin


class _KinOfAll(Kin):
    """Knows what any of the launchers knows."""

    def __init__(self, launchers: Sequence[Launcher]) -> None:
        super().__init__()
        self._launchers = launchers

    def unknown(self, pids: set[int]) -> set[int]:
        for launcher in self._launchers:
            pids = launcher.kin.unknown(pids)
        return pids


class SharedLauncher:
    """A `Launcher` whose ``kin`` are those of its neighbours too.

    Whatever is unknown when a job ends counts as left behind by it and is killed: the neighbours' templates must
    not be.
    """

    def __init__(self, launcher: Launcher, neighbours: Sequence[Launcher]) -> None:
        self._launcher = launcher
        self._all = (launcher, *neighbours)
        self.kin: Kin = _KinOfAll(self._all)

    async def start(self) -> Catalogue:
        """See `Launcher.start`."""
        return await self._launcher.start()

    async def reload(self, imports: Imports, accept: Callable[[Catalogue], None]) -> Catalogue:
        """See `Launcher.reload`."""
        return await self._launcher.reload(imports, accept)

    async def bear(self) -> Child:
        """See `Launcher.bear`."""
        return await self._launcher.bear()

    def drain_births(self) -> None:
        """See `Launcher.drain_births`: those of all."""
        for launcher in self._all:
            launcher.drain_births()

    async def close(self) -> None:
        """See `Launcher.close`."""
        await self._launcher.close()
