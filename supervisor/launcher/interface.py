"""What every way to start a child offers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Discovery
from jobrunner.protocol.isolation import Isolation
from supervisor.launcher.child import Child
from supervisor.launcher.known_children import KnownChildren


@dataclass(frozen=True, slots=True)
class Imports:
    """What a launcher imports, with which environment, how long one module may take, and what a child may do."""

    discovery: Discovery
    environment: Mapping[str, str]
    import_seconds: float = 30.0
    confinement: Confinement = field(default_factory=Confinement)
    isolation: Isolation = field(default_factory=Isolation)


class Launcher(Protocol):
    """Starts children that have imported the blocks and wait for one order."""

    known_children: KnownChildren
    """The processes that this launcher has started and knows."""

    async def start(self) -> Catalogue:
        """Import the blocks in a process of their own and return the catalogue.

        Raises `TemplateError` if that process can't start. A module that fails, hangs or crashes is a problem in the
        catalogue, not an error.
        """
        ...

    async def reload(self, imports: Imports, accept: Callable[[Catalogue], None]) -> Catalogue:
        """Import the blocks again. From then on start children with the new code. Running children go on.

        Raises `TemplateError`, and what `accept` raises for the new catalogue. Then, and if this is cancelled, all
        stays as it was.
        """
        ...

    async def spawn_child(self, *, rehearses: bool = True) -> Child:
        """Start a child and wait until it is ready. Raises `LaunchError`.

        A child that `rehearses` is ready a moment later, and then runs its job faster (`docs/adr/0044`).
        After a cancellation, a child on its way is killed as soon as it is known.
        """
        ...

    def look_anew(self) -> None:
        """Let the next child come from a process that has looked again for files beside closed paths.

        Processes that hold such a file open and are not needed end: a removed file takes its space until then.
        """
        ...

    def drain_starts(self) -> frozenset[int]:
        """Learn of children that exist but were not announced yet. Call it after listing this process's children, and
        before calling one of them unknown.

        Returns the sessions in which there may still be unannounced children. No job has a process there.
        """
        ...

    async def close(self) -> None:
        """End the helper processes. The caller owns the children that it got."""
        ...
