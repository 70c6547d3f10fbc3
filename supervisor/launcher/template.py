"""Children as forks of the template: about a millisecond to an order, 2 to 4 MB for each."""

import asyncio
import logging
import os
from collections.abc import Callable
from functools import partial
from typing import Final

from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.control import ChildRequest
from supervisor.errors import LaunchError, TemplateError
from supervisor.launcher.child import Child
from supervisor.launcher.child_starts import ChildStarts
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.fork_requests import Forker, ForkRequests
from supervisor.launcher.importer import TemplateProcess, start_template
from supervisor.launcher.interface import Imports
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.repeating_failure import RepeatingFailure
from supervisor.launcher.session_holders import SessionHolder, SessionHolders
from supervisor.launcher.template_end import kill, kill_hanging, tell_end
from supervisor.launcher.template_look import look_at
from supervisor.launcher.wiring import Wiring
from supervisor.lifecycle.template_silence import Silences
from supervisor.log.event import tell
from supervisor.log.events.processes import (
    SessionHolderReplaced,
    TemplateMissing,
    TemplateReady,
    TemplateReplaced,
)
from supervisor.process.memory import resident_bytes
from supervisor.process.shortage import explain
from supervisor.process.tasks import Tasks

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 1.0
"""Between two tries to start a template. Without one no job can start, so work must go on soon after a fault."""

_ENDING: Final = "end of a template"

START_TIMEOUT_SECONDS = 20.0
"""How long a fork may take, and then a child until it is ready. Each takes milliseconds, and longer without memory."""


class TemplateLauncher:
    """Keeps one template, replaces it when it dies, and asks it to fork children.

    Children survive the template: the supervisor is their parent (`child_starts.py`).
    """

    def __init__(
        self,
        imports: Imports,
        confinement_pool: ConfinementPool | None = None,
        on_come_back: Callable[[Catalogue, Catalogue], None] = lambda _before, _now: None,
    ) -> None:
        """`on_come_back` gets the catalogue in force and the catalogue of a template that replaced a dead one."""
        self.known_children = KnownChildren()
        self._imports = imports
        self._confinement_pool = confinement_pool or ConfinementPool()
        self._template: TemplateProcess | None = None
        self._retired: list[TemplateProcess] = []
        self._requests = ForkRequests(self.known_children)
        self._holders = SessionHolders(self._requests, self._hear)
        self._child_starts = ChildStarts(
            self._requests, self._holders, self._count_silence, self._replace_stopped
        )
        self._tasks = Tasks()
        self._silences = Silences()
        self._catalogue = Catalogue()  # in force: of the start, or of the last reload
        self._on_come_back = on_come_back
        self._missing = ""  # or why a new template could not be started

    async def start(self) -> Catalogue:
        """See `Launcher.start`."""
        template, catalogue = await start_template(self._imports, self.known_children)
        await self._install(template)
        self._catalogue = catalogue
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
        self._imports, self._catalogue = imports, catalogue
        self._tasks.cancel()  # there is a template now, with newer code
        if old is not None:
            self._retired.append(old)
            self.drain_starts()
        return catalogue

    async def _install(self, template: TemplateProcess) -> None:
        try:
            asyncio.get_running_loop().add_reader(template.control, self._hear, template)
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

    async def spawn_child(self, *, rehearses: bool = True) -> Child:
        """See `Launcher.spawn_child`."""
        async with self._confinement_pool.one(self._imports.confinement) as confined:
            template = self._template
            child = await self._start_child(confined.confinement, rehearses=rehearses)
            confined.hand_over(child)
        started_at = asyncio.get_running_loop().time()
        try:
            await child.get_ready(START_TIMEOUT_SECONDS)
        except LaunchError:
            if asyncio.get_running_loop().time() >= started_at + START_TIMEOUT_SECONDS:
                self._count_silence(template, started_at)
            raise
        if template is self._template:
            self._silences.answered()
        return child

    async def _start_child(self, confinement: Confinement, *, rehearses: bool) -> Child:
        template = self._template
        if template is None:
            why = self._missing or "A new one is on its way."
            raise LaunchError(
                f"There is no template to start a child from. {why}", on_its_way=not self._missing
            )
        wiring = Wiring()
        try:
            ends, packed = wiring.child_ends(), confinement.pack()
            pid, holder = await self._child_starts.ask(
                template,
                lambda number: ChildRequest(number, ends, packed, rehearses),
                START_TIMEOUT_SECONDS,
            )
        except BaseException:
            wiring.close()
            raise
        try:
            child = Child(pid, os.pidfd_open(pid), wiring, self.known_children)
        except OSError as error:
            wiring.close()
            self._requests.end_unclaimed(pid)
            if holder is not None:
                self._holders.give_back(holder, is_empty=False)
            raise LaunchError(f"A child was started but can't be watched: {explain(error)}") from error
        if holder is not None:
            child.on_session_left = partial(self._holders.give_back, holder)
        wiring.close_child_ends()
        child.inherited = template.inherited
        child.joins_by_itself = confinement.user is None
        return child

    def _count_silence(self, forker: Forker | None, asked_at: float) -> None:
        asked = forker.template if isinstance(forker, SessionHolder) else forker
        template = self._template
        if template is None or template is not asked:
            return
        if self._silences.given_up(asked_at, asyncio.get_running_loop().time()):
            self._replace(template, "It has started no child although it was asked for one twice.")

    def _replace_stopped(self, forker: Forker) -> None:
        # Somebody who stops one may have stopped others. Each would cost the same wait again.
        others = [one for one in self._holders.living if one is not forker and look_at(one.pid).is_stopped]
        for stopped in (forker, *others):
            self._replace(stopped, "It is stopped: somebody has sent SIGSTOP, or traces it.")

    def _replace(self, forker: Forker, reason: str) -> None:
        """End a forker that does not answer, without waiting for its end. If it is a template, start a new one."""
        if isinstance(forker, SessionHolder):
            self._end_holder(forker, reason)
            return
        template = next((one for one in self._templates() if one is forker), None)
        if template is None:
            return  # another request has replaced it already
        self._fail_requests(template, f"The template was replaced. {reason}")
        for fork in kill_hanging(template):
            # They become this process's children when the template is dead.
            self._requests.reap_later(fork)
        self.known_children.endings.start(template.see_dead(), _ENDING)
        if template in self._retired:
            self._retired.remove(template)
            return
        self._template = None
        tell(_log, TemplateReplaced(pid=template.pid, reason=reason))
        self._tasks.start(self._come_back(), "start of a new template")

    def _end_holder(self, holder: SessionHolder, reason: str) -> None:
        if holder in self._holders.living:
            tell(_log, SessionHolderReplaced(pid=holder.pid, reason=reason))
            self._holders.end(holder, reason=f"The process that was to fork the child is gone. {reason}")

    def _fail_requests(self, template: TemplateProcess, reason: str) -> None:
        self._holders.end_of(template, reason)
        self._requests.fail(template, reason)

    def _templates(self) -> tuple[TemplateProcess, ...]:
        return (*self._retired, *filter(None, (self._template,)))

    def look_anew(self) -> None:
        """See `Launcher.look_anew`. A template looks before it forks a session holder."""
        self._holders.end_free("It holds files that were removed.")

    def drain_starts(self) -> frozenset[int]:
        """See `Launcher.drain_starts`. A forker without a request announces nothing, and reports its end itself."""
        self._requests.reap_unclaimed()
        self._hear(*self._requests.asked)
        return self._requests.sessions_with_starts

    def _hear(self, *forkers: Forker) -> None:
        for forker in forkers:
            if not self._requests.hear(forker):
                continue
            if isinstance(forker, SessionHolder):
                self._end_holder(forker, "It has ended.")
            else:
                self._lose(forker)
        for template in list(self._retired):
            if not self._requests.has_waiting(template) and not self._holders.has_waiting(template):
                self._retired.remove(template)
                self._end(template, "The template was replaced by one of newer code.")

    def _lose(self, forker: Forker) -> None:
        template = next((one for one in self._templates() if one is forker), None)
        if template is None:
            return  # it was replaced when another one ended
        reason = "The template ended while it was asked for a child."
        if template in self._retired:
            self._retired.remove(template)
            self._end(template, reason)
            return
        self._fail_requests(template, reason)
        self._template = None
        kill(template)  # perhaps it has only closed its end
        self.known_children.endings.start(tell_end(template), _ENDING)
        self._tasks.start(self._come_back(), "start of a new template")

    def _end(self, template: TemplateProcess, reason: str) -> None:
        self._fail_requests(template, reason)
        kill(template)
        self.known_children.endings.start(template.see_dead(), _ENDING)

    async def _come_back(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        failure = RepeatingFailure(_log)
        while True:
            try:
                # This template must be able to fork. At a start or a reload, a person decides whether a module that
                # starts a thread is worth an interpreter for each job. Here nobody can be asked.
                template, catalogue = await start_template(
                    self._imports, self.known_children, leaves_out_threads=not self._catalogue.starts_threads
                )
                await self._install(template)
            except TemplateError as error:
                self._missing = str(error).splitlines()[0]
                failure.failed(TemplateMissing(reason=str(error)))
            except Exception as error:  # for any error: nobody else would start one
                self._missing = "A bug in this worker keeps it from starting one."
                failure.failed(TemplateMissing(reason=self._missing), level=logging.CRITICAL, error=error)
            else:
                tell(_log, TemplateReady(pid=self.template_pid))
                # It has imported the code that is on the disk now: a reload may have refused that code.
                self._on_come_back(self._catalogue, catalogue)
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def end_templates(self) -> None:
        """End the helper processes. The users of jobs stay as they are: another launcher will hand them out."""
        await self._tasks.close()
        templates = self._templates()
        self._template = None
        self._retired.clear()
        for template in templates:
            self._end(template, "The worker ends.")
        self._holders.close()
        await self.known_children.endings.close()

    async def close(self) -> None:
        """See `Launcher.close`."""
        await self.end_templates()
        await self._confinement_pool.close()
