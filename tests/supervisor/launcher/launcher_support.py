"""Children that are real processes and need no template: any process with the wiring of a child, started on request."""

import asyncio
import os
import resource
import shutil
from collections.abc import Callable
from typing import TypeVar

from jobrunner.protocol.messages import Ready
from supervisor.errors import LaunchError
from supervisor.launcher.child import Child
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.wiring import Wiring

T = TypeVar("T")
BOUND_SECONDS = 50.0
_SLEEP = shutil.which("sleep") or "/bin/sleep"


def open_descriptors() -> set[str]:
    """The descriptors of this process; that of the listing itself is closed again, and not among them."""
    return {name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}


def with_ever_more_descriptors(make: Callable[[], T], refusal: type[Exception]) -> tuple[T, list[Exception]]:
    """Call `make` with room for one more descriptor each time, until it succeeds. Each refusal leaves none open.

    Returns what was made, and the refusals.
    """
    before = open_descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    refused: list[Exception] = []
    for limit in range(3, soft):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        try:
            made = make()
        except refusal as error:
            refused.append(error)
        else:
            return made, refused
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert open_descriptors() == before
    raise AssertionError("it was refused whatever room there was")


def a_process(group: int = 0) -> int:
    """A process that sleeps, in `group` or one of its own. To be killed and waited for by whoever asked."""
    return os.posix_spawn(_SLEEP, ["sleep", "600"], os.environ, setpgroup=group)


def is_there(pid: int) -> bool:
    """Whether the number is taken: a dead process that nobody has waited for is there too."""
    return os.path.exists(f"/proc/{pid}")


class ProcessLauncher:
    """A launcher in so far as it starts children. `gate` holds starts up; `problem` is raised instead of one."""

    def __init__(self) -> None:
        self.known_children = KnownChildren()
        self.started: list[Child] = []
        self.asked = 0
        self.looks = 0
        self.rehearsed: list[bool] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.problem: LaunchError | None = None

    async def spawn_child(self, *, rehearses: bool = True) -> Child:
        self.asked += 1
        self.rehearsed.append(rehearses)
        await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        wiring = Wiring()
        pid = a_process()
        self.known_children.add(pid)
        child = Child(pid, os.pidfd_open(pid), wiring, self.known_children)
        os.write(wiring.child_ends().channel, Ready(pid=pid).pack())
        wiring.close_child_ends()
        self.started.append(child)
        return child

    def look_anew(self) -> None:
        self.looks += 1

    def drain_starts(self) -> frozenset[int]:
        """Nothing is on its way: a child is known before its start returns."""
        return frozenset()

    async def clear(self) -> None:
        """End all that are left."""
        for child in self.started:
            if not child._closed:
                child.kill()
                await child.exited
                child.reap_and_close()
