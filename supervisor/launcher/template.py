"""Children as forks of the template: about a millisecond to an order, 2 to 4 MB of their own."""

import asyncio
import contextlib
import itertools
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.control import Started, receive_starts, send_fork_request
from supervisor.errors import LaunchError, TemplateError
from supervisor.launcher.child import Child
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.importer import TemplateProcess, start_template
from supervisor.launcher.interface import Imports
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.repeating_failure import RepeatingFailure
from supervisor.launcher.template_end import end_now, kill_hanging, wait_for_end
from supervisor.launcher.template_look import look_at
from supervisor.launcher.wiring import Wiring
from supervisor.lifecycle.template_silence import Judgement, Silences, TemplateSilence
from supervisor.log.event import tell
from supervisor.log.events.processes import TemplateEnded, TemplateMissing, TemplateReady, TemplateReplaced
from supervisor.process.memory import NOTHING_INHERITED, resident_bytes
from supervisor.process.reaping import wait_for
from supervisor.process.shortage import explain, explain_refused_fork
from supervisor.process.tasks import Tasks

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 1.0
"""Between two tries to start a template. Without one no job can start, so that work is to go on soon after a fault."""

START_TIMEOUT_SECONDS = 20.0
"""How long a fork may take, and then a child to be ready. Each takes milliseconds; without memory it takes longer."""

_LAST_ENDINGS_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A child that a template was asked for. `started` gets its pid."""

    template: TemplateProcess
    started: asyncio.Future[int]


class TemplateLauncher:
    """Keeps one template, replaces it when it dies, and has it fork children.

    Children survive the template: they are the supervisor's own, by a double fork.
    """

    def __init__(self, imports: Imports, confinement_pool: ConfinementPool | None = None) -> None:
        self.known_children = KnownChildren()
        self._imports = imports
        self._confinement_pool = confinement_pool or ConfinementPool()
        self._template: TemplateProcess | None = None
        self._retired: list[TemplateProcess] = []
        self._requests = itertools.count(1)
        self._awaited: dict[int, _Awaited] = {}
        self._unclaimed: set[int] = set()
        self._tasks = Tasks()
        self._silences = Silences()
        self._missing = ""  # or why a new template could not be started
        self._endings = Tasks()  # of templates that were killed and are not dead yet

    async def start(self) -> Catalogue:
        """See `Launcher.start`."""
        template, catalogue = await start_template(self._imports, self.known_children)
        await self._install(template)
        return catalogue

    async def reload(self, imports: Imports, accept: Callable[[Catalogue], None]) -> Catalogue:
        """See `Launcher.reload`."""
        template, catalogue = await start_template(imports, self.known_children)
        try:
            accept(catalogue)
        except BaseException:
            await template.end()
            raise
        old = self._template
        await self._install(template)
        self._imports = imports
        self._tasks.cancel()  # there is a template now, and of newer code
        if old is not None:
            self._retired.append(old)
            self.drain_starts()
        return catalogue

    async def _install(self, template: TemplateProcess) -> None:
        try:
            asyncio.get_running_loop().add_reader(template.control, self.drain_starts)
        except OSError as error:
            await template.end()
            raise TemplateError(
                f"The template can't be listened to: {explain(error)}", retryable=True
            ) from error
        template.inherited.anonymous_bytes = resident_bytes(template.pid)
        self._template = template
        self._silences = Silences()
        self._missing = ""

    @property
    def template_pid(self) -> int | None:
        """The pid of the template that is there now."""
        return self._template.pid if self._template else None

    async def spawn_child(self) -> Child:
        """See `Launcher.spawn_child`."""
        async with self._confinement_pool.one(self._imports.confinement) as confined:
            template = self._template
            child = await self._bear(confined.confinement)
            confined.hand_over(child)
        born_at = asyncio.get_running_loop().time()
        try:
            await child.get_ready(START_TIMEOUT_SECONDS)
        except LaunchError:
            if asyncio.get_running_loop().time() >= born_at + START_TIMEOUT_SECONDS:
                self._count_silence(template, born_at)
            raise
        if template is self._template:
            self._silences.answered()
        return child

    async def _bear(self, confinement: Confinement) -> Child:
        wiring = Wiring()
        inherited = NOTHING_INHERITED if self._template is None else self._template.inherited
        try:
            pid = await self._request_birth(wiring, confinement)
        except BaseException:
            wiring.close()
            raise
        try:
            child = Child(pid, os.pidfd_open(pid), wiring, self.known_children)
        except OSError as error:
            wiring.close()
            self._end_unclaimed(pid)
            raise LaunchError(f"A child was started but can't be watched: {explain(error)}") from error
        wiring.close_child_ends()
        child.inherited = inherited
        return child

    async def _request_birth(self, wiring: Wiring, confinement: Confinement) -> int:
        template = self._template
        if template is None:
            why = self._missing or "A new one is on its way."
            raise LaunchError(
                f"There is no template to start a child from. {why}", on_its_way=not self._missing
            )
        request = next(self._requests)
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited[request] = _Awaited(template, started)
        try:
            send_fork_request(template.control, request, wiring.child_ends(), confinement)
            return await self._answer(template, started)
        except ConnectionError as error:
            raise LaunchError(
                f"The template is gone ({error}); a new one is on its way.", on_its_way=True
            ) from error
        except OSError as error:
            raise LaunchError(f"The template can't be asked for a child: {explain(error)}") from error
        finally:
            self._awaited.pop(request, None)

    async def _answer(self, template: TemplateProcess, started: asyncio.Future[int]) -> int:
        """Wait for the pid of a child. Replaces a template that is stopped, or that answers nothing any more."""
        clock = asyncio.get_running_loop().time
        asked_at = clock()
        silence = TemplateSilence(asked_at, START_TIMEOUT_SECONDS)
        while not (await asyncio.wait((started,), timeout=silence.next_look_seconds(clock())))[0]:
            judgement = silence.judge(look_at(template.pid), clock())
            if judgement is Judgement.REPLACE:
                self._replace(template, "It is stopped: somebody has sent SIGSTOP, or traces it.")
            elif judgement is Judgement.GIVE_UP:
                self._count_silence(template, asked_at)
                if not started.done():
                    seconds = clock() - asked_at
                    raise LaunchError(f"The template did not start a child within {seconds:.2g} s.")
        return started.result()

    def _count_silence(self, template: TemplateProcess | None, asked_at: float) -> None:
        if template is None or template is not self._template:
            return
        if self._silences.given_up(asked_at, asyncio.get_running_loop().time()):
            self._replace(template, "It has started no child although it was asked for one twice.")

    def _replace(self, template: TemplateProcess, reason: str) -> None:
        """End a template that can't be talked to, without waiting for its end, and start a new one."""
        if template is not self._template and template not in self._retired:
            return  # another request has had it replaced
        self._fail_awaited(template, f"The template was replaced. {reason}")
        for fork in kill_hanging(template):
            # They become this process's own when the template is dead.
            self.known_children.add(fork)
            self._unclaimed.add(fork)
        self._endings.start(wait_for_end(template), "end of a template")
        if template in self._retired:
            self._retired.remove(template)
            return
        self._template = None
        tell(_log, TemplateReplaced(pid=template.pid, reason=reason))
        self._tasks.start(self._come_back(), "start of a new template")

    def _fail_awaited(self, template: TemplateProcess, reason: str) -> None:
        for awaited in self._awaited.values():
            if awaited.template is template and not awaited.started.done():
                awaited.started.set_exception(LaunchError(reason, on_its_way=True))

    def drain_starts(self) -> None:
        """See `Launcher.drain_starts`."""
        self._unclaimed = {pid for pid in self._unclaimed if not self._is_reaped(pid)}
        for template in (*self._retired, *filter(None, (self._template,))):
            starts, gone = receive_starts(template.control)
            for start in starts:
                self._hear(start)
            if gone:
                self._lose(template)
        for template in list(self._retired):
            if not any(awaited.template is template for awaited in self._awaited.values()):
                self._retired.remove(template)
                end_now(template)

    def _hear(self, start: Started) -> None:
        if start.pid:
            self.known_children.add(start.pid)
        awaited = self._awaited.get(start.request)
        if awaited is None or awaited.started.done():
            self._end_unclaimed(start.pid)
        elif start.pid:
            awaited.started.set_result(start.pid)
        else:
            reason = explain_refused_fork(start.error)
            awaited.started.set_exception(LaunchError(f"The template could not start a child: {reason}"))

    def _end_unclaimed(self, pid: int) -> None:
        """End a child whose wait was given up before it was started. It has no job, so nothing is reported."""
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._unclaimed.add(pid)

    def _is_reaped(self, pid: int) -> bool:
        try:
            done, _, _ = wait_for(pid)
        except ChildProcessError:
            return False  # still its middle process's child
        if done:
            self.known_children.discard(pid)
        return bool(done)

    def _lose(self, template: TemplateProcess) -> None:
        self._fail_awaited(template, "The template ended while it was asked for a child.")
        # Killed: a template that has only closed its end would be waited for without end.
        status = end_now(template)
        if template in self._retired:
            self._retired.remove(template)
            return
        self._template = None
        tell(_log, TemplateEnded(status=status))
        self._tasks.start(self._come_back(), "start of a new template")

    async def _come_back(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        failure = RepeatingFailure(_log)
        while True:
            try:
                await self.start()
            except TemplateError as error:
                self._missing = str(error).splitlines()[0]
                failure.failed(TemplateMissing(reason=str(error)))
            except Exception as error:  # whatever it is: nobody else would start one
                self._missing = "A bug in this worker keeps it from starting one."
                failure.failed(TemplateMissing(reason=self._missing), level=logging.CRITICAL, error=error)
            else:
                tell(_log, TemplateReady(pid=self.template_pid))
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        """See `Launcher.close`."""
        await self._tasks.close()
        templates = (*self._retired, *filter(None, (self._template,)))
        self._template = None
        self._retired.clear()
        for template in templates:
            end_now(template)
        # One that can't be killed is left to the keeper.
        await self._endings.wait(_LAST_ENDINGS_SECONDS)
        await self._endings.close()
        await self._confinement_pool.close()
