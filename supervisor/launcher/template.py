"""Children as forks of the template: about a millisecond to an order, 2 to 4 MB of their own."""

import asyncio
import contextlib
import itertools
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.control import Birth, receive_births, send_fork_request
from supervisor.errors import LaunchError, TemplateError
from supervisor.launcher.child import Child
from supervisor.launcher.confining import Confining
from supervisor.launcher.importer import TemplateProcess, start_template
from supervisor.launcher.interface import Imports
from supervisor.launcher.kin import Kin
from supervisor.launcher.wiring import Wiring
from supervisor.reaping import wait_for

_log = logging.getLogger(__name__)

BIRTH_SECONDS = 20.0
"""How long a child may take to be ready. It takes milliseconds; a machine without memory takes longer."""


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A child that a template was asked for. ``born`` gets its pid."""

    template: TemplateProcess
    born: asyncio.Future[int]


class TemplateLauncher:
    """Keeps one template, replaces it when it dies, and has it fork children.

    Children survive the template: they are the supervisor's own, by a double fork.
    """

    def __init__(self, imports: Imports, confining: Confining | None = None) -> None:
        self.kin = Kin()
        self._imports = imports
        self._confining = confining or Confining()
        self._template: TemplateProcess | None = None
        self._retired: list[TemplateProcess] = []
        self._requests = itertools.count(1)
        self._awaited: dict[int, _Awaited] = {}
        self._strays: set[int] = set()
        self._comeback: asyncio.Task[None] | None = None

    async def start(self) -> Catalogue:
        """See `Launcher.start`."""
        template, catalogue = await start_template(self._imports, self.kin)
        self._install(template)
        return catalogue

    async def reload(self, imports: Imports, accept: Callable[[Catalogue], None]) -> Catalogue:
        """See `Launcher.reload`."""
        template, catalogue = await start_template(imports, self.kin)
        try:
            accept(catalogue)
        except BaseException:
            await template.end()
            raise
        self._imports = imports
        old = self._template
        if self._comeback is not None:
            self._comeback.cancel()  # there is a template now, and of newer code
        self._install(template)
        if old is not None:
            self._retired.append(old)
            self.drain_births()
        return catalogue

    def _install(self, template: TemplateProcess) -> None:
        self._template = template
        asyncio.get_running_loop().add_reader(template.control, self.drain_births)

    @property
    def template_pid(self) -> int | None:
        """The pid of the template that is there now."""
        return self._template.pid if self._template else None

    async def bear(self) -> Child:
        """See `Launcher.bear`."""
        async with self._confining.one(self._imports.confinement) as confined:
            child = await self._bear(confined.confinement)
            confined.hand_over(child)
        await child.get_ready(BIRTH_SECONDS)
        return child

    async def _bear(self, confinement: Confinement) -> Child:
        wiring = Wiring()
        try:
            pid = await self._request_birth(wiring, confinement)
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
        return child

    async def _request_birth(self, wiring: Wiring, confinement: Confinement) -> int:
        template = self._template
        if template is None:
            raise LaunchError("There is no template to start a child from; a new one is on its way.")
        request = next(self._requests)
        born: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited[request] = _Awaited(template, born)
        try:
            send_fork_request(template.control, request, wiring.child_ends(), confinement)
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
        self._strays = {pid for pid in self._strays if not self._is_reaped(pid)}
        for template in (*self._retired, *filter(None, (self._template,))):
            births, gone = receive_births(template.control)
            for birth in births:
                self._hear(birth)
            if gone:
                self._lose(template)
        for template in list(self._retired):
            if not any(awaited.template is template for awaited in self._awaited.values()):
                self._retired.remove(template)
                self._end(template)

    def _end(self, template: TemplateProcess) -> str:
        """Kill a template and wait for it, which takes a millisecond. Returns how it ended."""
        asyncio.get_running_loop().remove_reader(template.control)
        # One that is ending anyway keeps its own status.
        with contextlib.suppress(ProcessLookupError):
            os.kill(template.pid, signal.SIGKILL)
        return template.reap()

    def _hear(self, birth: Birth) -> None:
        if birth.pid:
            self.kin.add(birth.pid)
        awaited = self._awaited.get(birth.request)
        if awaited is None or awaited.born.done():
            self._end_stray(birth.pid)
        elif birth.pid:
            awaited.born.set_result(birth.pid)
        else:
            awaited.born.set_exception(
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
            done, _, _ = wait_for(pid)
        except ChildProcessError:
            return False  # still its middle process's child
        if done:
            self.kin.discard(pid)
        return bool(done)

    def _lose(self, template: TemplateProcess) -> None:
        for awaited in self._awaited.values():
            if awaited.template is template and not awaited.born.done():
                awaited.born.set_exception(LaunchError("The template ended while it was asked for a child."))
        # Killed: a template that has only closed its end would be waited for without end.
        status = self._end(template)
        if template in self._retired:
            self._retired.remove(template)
            return
        self._template = None
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
        templates = (*self._retired, *filter(None, (self._template,)))
        self._template = None
        self._retired.clear()
        for template in templates:
            self._end(template)
        await self._confining.close()
