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
    """What a launcher imports, with which environment, how long one module may take, and what a child may."""

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
        """Import the blocks in a process of their own and return what there is.

        Raises `TemplateError` when that process can't come up. A module that fails, hangs or crashes is a
        problem in the catalogue, not an error.
        """
        ...

    async def reload(self, imports: Imports, accept: Callable[[Catalogue], None]) -> Catalogue:
        """Import the blocks anew, and start children from these from now on. Children that run go on.

        Raises `TemplateError`, and what `accept` raises for the new catalogue: then all stays as it was, as it
        does when this is cancelled.
        """
        ...

    async def spawn_child(self, *, rehearses: bool = True) -> Child:
        """Start a child and wait until it is ready. Raises `LaunchError`.

        One that `rehearses` is ready a moment later, and then runs its job faster (`docs/adr/0044`).
        When cancelled, a child on its way is killed as soon as it is known.
        """
        ...

    def look_anew(self) -> None:
        """Have the next child come of a process that has looked for files beside closed paths again.

        What holds such a file open, and is not needed, ends: a file that was removed takes its space until then.
        """
        ...

    def drain_starts(self) -> frozenset[int]:
        """Learn of children that exist but have not been heard of. To be called between listing this process's
        children and calling one of them unknown.

        Returns the sessions in which there may still be children that nobody has heard of. No job has a process there.
        """
        ...

    async def close(self) -> None:
        """End the helper processes. Children that were handed out are the caller's."""
        ...
