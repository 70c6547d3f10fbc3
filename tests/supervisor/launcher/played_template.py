"""A template that the test plays: requests and announcements go over a real control socket, births are the test's."""

import asyncio
import contextlib
import errno
import os
import signal
import socket

from launcher_support import BOUND_SECONDS, a_process

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.control import ChildRequest, Started, announce_start, receive_fork_request
from jobrunner.protocol.entry import Descriptors, Discovery
from jobrunner.protocol.messages import Ready
from supervisor.errors import TemplateError
from supervisor.launcher import Imports
from supervisor.launcher.endings import until_dead
from supervisor.launcher.template import TemplateLauncher
from supervisor.process.memory import Inherited


class PlayedTemplate:
    """What a launcher holds of a template, and in `asked`, `spawn_child` and `refuse` the other side of it."""

    def __init__(self) -> None:
        self.pid = a_process()
        self.control, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.setblocking(False)
        self._theirs.settimeout(BOUND_SECONDS)
        self._born: list[int] = []
        self._kept: list[Descriptors] = []
        self.inherited = Inherited()
        self.forks_once = False
        self.confinements: list[Confinement] = []
        self.ends = 0
        """How often it was killed and waited for."""

    def reap(self) -> str:
        """As a real one does: wait for the process, which must have been killed, and close this end."""
        _, status = os.waitpid(self.pid, 0)
        self.control.close()
        self.ends += 1
        return f"exit code {os.waitstatus_to_exitcode(status)}"

    async def see_dead(self) -> str:
        """As a real one does."""
        await until_dead(self.pid)
        return self.reap()

    async def end(self) -> None:
        if not self.ends:
            os.kill(self.pid, signal.SIGKILL)
            self.reap()

    def asked(self) -> tuple[int, Descriptors]:
        """Wait for the next request."""
        request = receive_fork_request(self._theirs)
        assert isinstance(request, ChildRequest)
        self.confinements.append(Confinement.unpack(request.confinement))
        return request.request, request.descriptors

    def spawn_child(self, request: int, descriptors: Descriptors) -> int:
        """Start a process as the child that was asked for, announce it, and have it say that it is ready."""
        pid = a_process()
        announce_start(self._theirs, Started(request, pid))
        self._born.append(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
            os.write(descriptors.channel, Ready(pid=pid).pack())
        self.forget(descriptors)
        return pid

    def spawn_silent_child(self, request: int, descriptors: Descriptors) -> int:
        """Start and announce a child that never says that it is ready."""
        pid = a_process()
        announce_start(self._theirs, Started(request, pid))
        self._born.append(pid)
        self._kept.append(descriptors)
        return pid

    def refuse(self, request: int, descriptors: Descriptors) -> None:
        """Say that the fork has failed."""
        announce_start(self._theirs, Started(request, 0, errno.ENOMEM))
        self.forget(descriptors)

    def forget(self, descriptors: Descriptors) -> None:
        """Close the descriptors that came with a request."""
        for descriptor in (descriptors.channel, descriptors.stdout, descriptors.stderr, descriptors.dump):
            os.close(descriptor)

    def die(self) -> None:
        """End as a crash would: the process is gone, and with it its end of the socket."""
        os.kill(self.pid, signal.SIGKILL)
        self._theirs.close()

    def close(self) -> None:
        """Close the test's end, and end the children that a test has left."""
        self._theirs.close()
        for descriptors in self._kept:
            self.forget(descriptors)
        for pid in self._born:
            with contextlib.suppress(ChildProcessError):
                os.waitid(
                    os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
                )  # raises unless it is ours still
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


EMPTY = Catalogue()
IMPORTS = Imports(Discovery(()), {})


class Stage:
    """A launcher whose templates the test plays. `problems` are raised, one by one, instead of a start."""

    def __init__(self) -> None:
        self.launcher = TemplateLauncher(IMPORTS)
        self.templates: list[PlayedTemplate] = []
        self.problems: list[TemplateError] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.imported: list[Imports] = []
        self.left_out_threads: list[bool] = []
        """Of each start, whether modules that start a thread were to be left out."""

    async def start_template(
        self, imports: Imports, known_children: object, *, leaves_out_threads: bool = False
    ) -> tuple[PlayedTemplate, object]:
        self.imported.append(imports)
        self.left_out_threads.append(leaves_out_threads)
        await self.gate.wait()
        if self.problems:
            raise self.problems.pop()
        self.templates.append(PlayedTemplate())
        return self.templates[-1], EMPTY

    async def close(self) -> None:
        self.gate.set()
        await self.launcher.close()
        for template in self.templates:
            await template.end()
            template.close()


async def asked(template: PlayedTemplate) -> tuple[int, Descriptors]:
    """Wait for the next request, off the loop."""
    return await asyncio.to_thread(template.asked)
