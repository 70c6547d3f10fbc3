"""Children as forks of the template: about a millisecond to an order, 2 to 4 MB of their own."""

import asyncio
import contextlib
import itertools
import logging
import os
import signal
from collections.abc import Mapping

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.control import Birth, receive_births, send_fork_request
from jobrunner.protocol.entry import Discovery
from supervisor.errors import LaunchError, TemplateError
from supervisor.launcher.child import Child
from supervisor.launcher.importer import TemplateProcess, start_template
from supervisor.launcher.kin import Kin
from supervisor.launcher.wiring import Wiring

_log = logging.getLogger(__name__)

BIRTH_SECONDS = 20.0
"""How long a child may take to be ready. It takes milliseconds; a machine without memory takes longer."""


class TemplateLauncher:
    """Keeps one template, replaces it when it dies, and has it fork children.

    Children survive the template: they are the supervisor's own, by a double fork.
    """

    def __init__(
        self, discovery: Discovery, environment: Mapping[str, str], *, import_seconds: float = 30.0
    ) -> None:
        self.kin = Kin()
        self._discovery = discovery
        self._environment = environment
        self._import_seconds = import_seconds
        self._template: TemplateProcess | None = None
        self._requests = itertools.count(1)
        self._awaited: dict[int, asyncio.Future[int]] = {}
        self._strays: set[int] = set()
        self._comeback: asyncio.Task[None] | None = None

    async def start(self) -> Catalogue:
        """See `Launcher.start`."""
        template, catalogue = await start_template(
            self._discovery, self._environment, self.kin, import_seconds=self._import_seconds
        )
        self._template = template
        loop = asyncio.get_running_loop()
        loop.add_reader(template.control, self.drain_births)
        return catalogue

    @property
    def template_pid(self) -> int | None:
        """The pid of the template that is there now."""
        return self._template.pid if self._template else None

    async def bear(self) -> Child:
        """See `Launcher.bear`."""
        wiring = Wiring()
        try:
            pid = await self._request_birth(wiring)
        except BaseException:
            wiring.close()
            raise
        try:
            child = Child(pid, os.pidfd_open(pid), wiring, self.kin)
        except OSError as error:
            wiring.close()
            self._end_stray(pid)
            raise LaunchError(f"A child (pid {pid}) was born but can't be watched: {error}.") from error
        wiring.close_child_ends()
        await child.get_ready(BIRTH_SECONDS)
        return child

    async def _request_birth(self, wiring: Wiring) -> int:
        template = self._template
        if template is None:
            raise LaunchError("There is no template to start a child from; a new one is on its way.")
        request = next(self._requests)
        born: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited[request] = born
        try:
            send_fork_request(template.control, request, wiring.child_ends())
            async with asyncio.timeout(BIRTH_SECONDS):
                return await born
        except TimeoutError as error:
            raise LaunchError(f"The template did not start a child within {BIRTH_SECONDS:g} s.") from error
        except OSError as error:
            raise LaunchError(f"The template is gone ({error}); a new one is on its way.") from error
        finally:
            self._awaited.pop(request, None)

    def drain_births(self) -> None:
        """See `Launcher.drain_births`."""
        template = self._template
        if template is None:
            return
        self._strays = {pid for pid in self._strays if not self._is_reaped(pid)}
        births, gone = receive_births(template.control)
        for birth in births:
            self._hear(birth)
        if gone:
            self._lose(template)

    def _hear(self, birth: Birth) -> None:
        if birth.pid:
            self.kin.add(birth.pid)
        born = self._awaited.get(birth.request)
        if born is None or born.done():
            self._end_stray(birth.pid)
        elif birth.pid:
            born.set_result(birth.pid)
        else:
            born.set_exception(
                LaunchError("The template could not fork: the machine has no process or memory left.")
            )

    def _end_stray(self, pid: int) -> None:
        """End a child whose wait was given up before it was born. It has no job, so nothing is reported."""
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._strays.add(pid)

    def _is_reaped(self, pid: int) -> bool:
        try:
            done, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return False  # still its middle process's child
        if done:
            self.kin.discard(pid)
        return bool(done)

    def _lose(self, template: TemplateProcess) -> None:
        asyncio.get_running_loop().remove_reader(template.control)
        self._template = None
        for born in self._awaited.values():
            if not born.done():
                born.set_exception(LaunchError("The template ended while it was asked for a child."))
        # A template that has only closed its end would be waited for without end. One that is ending anyway keeps
        # its own status.
        with contextlib.suppress(ProcessLookupError):
            os.kill(template.pid, signal.SIGKILL)
        status = template.reap()
        _log.error("The template ended (%s). Running jobs go on; a new template is being started.", status)
        self._comeback = asyncio.ensure_future(self._come_back())

    async def _come_back(self) -> None:
        pause = 0.2
        while True:
            try:
                await self.start()
            except TemplateError as error:
                _log.error("No new template: %s Trying again in %.1f s.", error, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)
            else:
                _log.info("A new template is ready (pid %s).", self.template_pid)
                return

    async def close(self) -> None:
        """See `Launcher.close`."""
        if self._comeback is not None:
            self._comeback.cancel()
            await asyncio.gather(self._comeback, return_exceptions=True)
        template, self._template = self._template, None
        if template is not None:
            asyncio.get_running_loop().remove_reader(template.control)
            await template.end()
