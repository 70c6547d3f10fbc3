"""The functions that `multiprocess` calls in a spawned interpreter.

The supervisor gives these functions to `multiprocess` by reference, so it must import their module. But it must not
import code that runs blocks. So the other side imports that code by name, at the call.
"""

import os
from dataclasses import dataclass
from typing import Any, Final

from multiprocess.reduction import DupFd

from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.importing import import_uncollected
from jobrunner.protocol.isolation import Isolation

ENTRY_POINTS: Final = "entry-points"
"""The name of the source for all installed packages with blocks."""

ENTRY_POINT_GROUP: Final = "neops.function_blocks"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a template or a spawned child imports, and how."""

    sources: tuple[str, ...]
    """Directories, files, importable module names, or `entry-points`."""
    skip_modules: tuple[str, ...] = ()
    """Modules that hung or crashed an earlier template."""
    import_all: bool = False
    """Whether to import also modules whose text does not show that they register anything."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The file descriptors that belong to one child, in the order in which they are passed."""

    channel: int
    stdout: int
    stderr: int
    dump: int

    def close(self) -> None:
        """Close all of them."""
        for descriptor in (self.channel, self.stdout, self.stderr, self.dump):
            os.close(descriptor)


class PassedDescriptor:
    """An argument that arrives in a spawned process as a plain, non-inheritable descriptor number."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (DupFd(self._descriptor),)


def _arrived(passed: Any) -> int:
    descriptor: int = passed.detach()
    os.set_inheritable(descriptor, False)
    return descriptor


def run_template(
    supervisor_pid: int, control: int, report: int, output: int, discovery: Discovery, isolation: Isolation
) -> None:
    """Be the template: import the blocks, report the catalogue, fork children until the supervisor ends it."""
    template = import_uncollected("jobrunner.template")
    template.serve(supervisor_pid, control, report, output, discovery, isolation)


def run_spawned_child(
    supervisor_pid: int,
    control: int,
    channel: int,
    stdout: int,
    stderr: int,
    dump: int,
    discovery: Discovery,
    confinement: Confinement,
    isolation: Isolation,
) -> None:
    """Fork a child that imports the blocks itself and runs one job. Then end."""
    descriptors = Descriptors(channel, stdout, stderr, dump)
    spawn_main = import_uncollected("jobrunner.spawn_main")
    spawn_main.run(supervisor_pid, control, descriptors, discovery, confinement, isolation)
