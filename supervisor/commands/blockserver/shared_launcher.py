"""A launcher in a process that has several."""

from collections.abc import Callable, Sequence

from jobrunner.protocol.catalogue import Catalogue
from supervisor.launcher import Child, Imports, Launcher
from supervisor.launcher.known_children import KnownChildren


class _ChildrenOfAll(KnownChildren):
    """Knows the children of all the launchers."""

    def __init__(self, launchers: Sequence[Launcher]) -> None:
        super().__init__()
        self._launchers = launchers

    def unknown(self, pids: set[int]) -> set[int]:
        for launcher in self._launchers:
            pids = launcher.known_children.unknown(pids)
        return pids

    def on_orphans(self, hear: Callable[[], object]) -> None:
        for launcher in self._launchers:
            launcher.known_children.on_orphans(hear)


class SharedLauncher:
    """A `Launcher` whose `known_children` include those of its neighbours.

    When a job ends, an unknown child counts as its leftover and is killed. This must not happen to the neighbours'
    templates.
    """

    def __init__(self, launcher: Launcher, neighbours: Sequence[Launcher]) -> None:
        self._launcher = launcher
        self._all = (launcher, *neighbours)
        self.known_children: KnownChildren = _ChildrenOfAll(self._all)

    async def start(self) -> Catalogue:
        """See `Launcher.start`."""
        return await self._launcher.start()

    async def reload(self, imports: Imports, accept: Callable[[Catalogue], None]) -> Catalogue:
        """See `Launcher.reload`."""
        return await self._launcher.reload(imports, accept)

    async def spawn_child(self, *, rehearses: bool = True) -> Child:
        """See `Launcher.spawn_child`."""
        return await self._launcher.spawn_child(rehearses=rehearses)

    def look_anew(self) -> None:
        """See `Launcher.look_anew`."""
        self._launcher.look_anew()

    def drain_starts(self) -> frozenset[int]:
        """See `Launcher.drain_starts`: the sessions of all launchers."""
        return frozenset().union(*(launcher.drain_starts() for launcher in self._all))

    async def close(self) -> None:
        """See `Launcher.close`."""
        await self._launcher.close()
