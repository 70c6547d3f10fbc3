"""Starts a template, follows its imports, and leaves out a module that hangs or kills it."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections import Counter
from dataclasses import replace
from typing import Final

from pydantic import ValidationError

from jobrunner.protocol.caps import CATALOGUE_CAP_BYTES
from jobrunner.protocol.catalogue import CATALOGUE, Catalogue, ImportProblem, ProblemKind
from jobrunner.protocol.entry import PassedDescriptor, run_template
from jobrunner.protocol.frames import FrameError, read_frame
from jobrunner.protocol.linux import DUMP_SIGNAL
from jobrunner.protocol.messages import Importing, Log, from_template
from supervisor.errors import TemplateError
from supervisor.launcher.endings import until_dead
from supervisor.launcher.interface import Imports
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.multiprocessing_spawn import Spawned
from supervisor.launcher.template_look import look_at
from supervisor.log.event import tell
from supervisor.log.events.blocks import ImportOutput, ImportRepeated, ImportSlow, ModuleSkipped
from supervisor.process.memory import Inherited
from supervisor.process.output import OutputReader
from supervisor.process.pipe_ends import pipe_threads
from supervisor.process.reaping import wait_for
from supervisor.process.shortage import explain
from supervisor.process.signal_names import how_it_ended
from supervisor.process.time_limit import TimeLimit

_log = logging.getLogger(__name__)
_output_log = logging.getLogger("template")

START_SECONDS: Final = 60.0
"""How long a template may take until it imports its first module."""

SLOW_SECONDS: Final = 5.0
"""After so long, the log says that the imports of a template are slow. It is the time of all imports together."""

_STACK_SECONDS: Final = 0.3
_EXIT_SECONDS: Final = 1.0
_LEAST_LOOKS: Final = 20
"""So often it looks for an end whatever the clock says: the machine may have stood still all the time."""
_TRIES_AFTER_SIGKILL: Final = 3
"""How often a module is imported again if its import ended by SIGKILL.

The module may be the cause, by the memory it takes. But somebody else may have sent SIGKILL. If a module is left out
by mistake, all its jobs fail for as long as the worker runs.
"""


class TemplateProcess:
    """One running template.

    Raises `TemplateError`, which is retryable, if the machine has no process, memory or descriptor left for it. Then
    no process of it runs, and no descriptor stays open.
    """

    def __init__(self, imports: Imports, known_children: KnownChildren) -> None:
        self._known_children = known_children
        self.was_killed = False
        """Whether another process has ended it by SIGKILL, or somebody has stopped it."""
        self.forks_once = False
        """Whether it can start session holders (`supervisor.launcher.child_starts`)."""
        self.inherited = Inherited()
        """The memory that each of its forks has from it."""
        self._ends = False
        with contextlib.ExitStack() as undo:
            try:
                self._start(imports, undo)
            except (OSError, RuntimeError) as error:
                raise TemplateError(
                    f"The process that imports the blocks can't be started: {explain(error)}", retryable=True
                ) from error
            undo.pop_all()

    def _start(self, imports: Imports, undo: contextlib.ExitStack) -> None:
        with contextlib.ExitStack() as theirs:
            self.control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.callback(self.control.close)
            theirs.callback(control.close)
            self.report, report = socket.socketpair()
            undo.callback(self.report.close)
            theirs.callback(report.close)
            self._output, child_output = os.pipe()
            undo.callback(os.close, self._output)
            theirs.callback(os.close, child_output)
            passed = [PassedDescriptor(fd) for fd in (control.fileno(), report.fileno(), child_output)]
            arguments = (os.getpid(), *passed, imports.discovery, imports.isolation)
            self._spawned = Spawned(run_template, arguments, "neops-template", imports.environment)
        self.pid = self._spawned.pid
        self._known_children.add(self.pid)
        undo.callback(self._spawned.take_back, self._known_children)
        self.control.setblocking(False)
        self.report.setblocking(False)
        os.set_blocking(self._output, False)
        self.output = OutputReader(self._output, lambda line: tell(_output_log, ImportOutput(line=line)))

    def reap(self) -> str:
        """Reap the template, which has ended, and return how it ended. Call it once only."""
        self._ends = True
        _, status, _ = wait_for(self.pid, 0)
        self._known_children.discard(self.pid)
        self._known_children.forker_is_dead()
        self._spawned.forget()
        self.output.finish()
        pipe_threads().close(self._output)
        self.control.close()
        return how_it_ended(os.waitstatus_to_exitcode(status))

    async def end_by_itself(self, bound_seconds: float) -> str | None:
        """Reap the template if it ends within `bound_seconds`, and return how it ended; `None` while it lives on."""
        end = time.monotonic() + bound_seconds
        looks, flags = 0, os.WEXITED | os.WNOWAIT | os.WNOHANG
        while os.waitid(os.P_PID, self.pid, flags) is None:  # noqa: ASYNC222  # WNOHANG never waits
            looks += 1
            if looks > _LEAST_LOOKS and time.monotonic() > end:
                return None
            await asyncio.sleep(0.005)
        status = self.reap()
        self.was_killed = status == "signal SIGKILL"
        return status

    async def end(self) -> None:
        """Kill the template, unless it has ended. Its forks are not its children, and go on.

        It is dead when this returns, unless it imports from a disk that does not answer: then it is reaped later.
        """
        if self._ends:
            return  # its number may belong to another process by now
        self._ends = True
        self.control.close()  # nobody can ask it for anything any more
        os.kill(self.pid, signal.SIGKILL)
        await self._known_children.endings.see(self.see_dead(), "end of a template")

    async def see_dead(self) -> str:
        """Reap the killed template as soon as it is dead, and return how it ended."""
        await until_dead(self.pid)
        return self.reap()


async def start_template(
    imports: Imports, known_children: KnownChildren, *, leaves_out_threads: bool = False
) -> tuple[TemplateProcess, Catalogue]:
    """Start a template and wait for its catalogue. Leave out modules that hang or crash it.

    With `leaves_out_threads`, leave out modules that start a thread too: this template must be able to fork.

    Raises `TemplateError` if it fails outside of any module, or can't be started or followed.
    """
    problems: list[ImportProblem] = []
    kills: Counter[str] = Counter()
    while True:
        template = TemplateProcess(imports, known_children)
        try:
            outcome = await _follow(template, imports.import_seconds)
        except BaseException:
            await template.end()
            template.report.close()
            raise
        if isinstance(outcome, Catalogue) and leaves_out_threads and (found := outcome.of_kind("thread")):
            await template.end()
            outcome = found[0].model_copy(update={"kind": "error"})  # without the module there is no thread
        if isinstance(outcome, Catalogue):
            return template, outcome.model_copy(update={"problems": outcome.problems + tuple(problems)})
        if template.was_killed:
            kills[outcome.module] += 1
            if kills[outcome.module] < _TRIES_AFTER_SIGKILL:
                tell(_log, ImportRepeated(problem=str(outcome)))
                continue
        problems.append(outcome)
        tell(_log, ModuleSkipped(module=outcome.module, problem=str(outcome)))
        skipped = (*imports.discovery.skip_modules, outcome.module)
        imports = replace(imports, discovery=replace(imports.discovery, skip_modules=skipped))


async def _follow(template: TemplateProcess, import_seconds: float) -> Catalogue | ImportProblem:
    """Read the template's reports until its catalogue comes, or until a module has ended the template."""
    try:
        reader, writer = await asyncio.open_connection(sock=template.report)
    except OSError as error:
        raise TemplateError(
            f"The process that imports the blocks can't be followed: {explain(error)}", retryable=True
        ) from error
    module: Importing | None = None

    def say_slow() -> None:
        if module is not None:
            place = module.file or module.module
            tell(_log, ImportSlow(place=place, seconds=SLOW_SECONDS, limit_seconds=import_seconds))

    loop = asyncio.get_running_loop()
    slow: asyncio.TimerHandle | None = None
    latest = loop.time() + START_SECONDS
    try:
        while True:
            try:
                # A module that only logs on and on makes no progress.
                async with TimeLimit(latest):
                    frame = await read_frame(reader, CATALOGUE_CAP_BYTES)
                if frame is None:
                    return await _died(template, module, "")
                message = from_template(frame)
                if isinstance(message, Log):
                    _pass_on(message)
                    continue
                if not isinstance(message, Importing):
                    catalogue = CATALOGUE.validate_json(frame.payload)
                    template.forks_once = message.forks_once
                    return catalogue
            except TimeoutError:
                return await _hung(template, module, import_seconds)
            except ValidationError:  # a module has written to the descriptor of the reports
                return await _died(template, module, "Its catalogue can't be read.")
            except (FrameError, OSError) as error:
                return await _died(template, module, str(error))
            module, latest = message, loop.time() + import_seconds
            slow = slow or loop.call_later(SLOW_SECONDS, say_slow)
    finally:
        if slow is not None:
            slow.cancel()
        writer.transport.abort()


def _pass_on(log: Log) -> None:
    """Log what a module has logged during its import."""
    if _output_log.isEnabledFor(log.level):
        text = log.text + (f" … [{log.cut_chars} more characters cut]" if log.cut_chars else "")
        # With its logger's name, but not through a logger of that name here: it may be one of ours.
        _output_log.handle(_output_log.makeRecord(log.logger, log.level, "", 0, "%s", (text,), None))


async def _hung(template: TemplateProcess, module: Importing | None, import_seconds: float) -> ImportProblem:
    # If somebody has sent SIGSTOP, or traces it, the module is not the cause.
    template.was_killed = is_stopped = look_at(template.pid).is_stopped
    os.kill(template.pid, DUMP_SIGNAL)
    await asyncio.sleep(_STACK_SECONDS)
    stack = template.output.tail()
    await template.end()
    if module is None:
        raise TemplateError(f"The template did not answer within {START_SECONDS:g} s.", evidence=stack)
    how = "the process that imports it is stopped" if is_stopped else "hung"
    return _problem(module, "hang", f"{how}: its import took longer than {import_seconds:g} s", stack)


async def _died(template: TemplateProcess, module: Importing | None, detail: str) -> ImportProblem:
    status = await template.end_by_itself(_EXIT_SECONDS)
    how = f"ended the process that imported it, with {status}"
    ended = f"ended with {status}"
    if status is None:
        # It has closed its report, but it lives.
        await template.end()
        how = "closed descriptors that are not its own, or wrote to them; close only what you opened"
        ended = "closed the descriptor of its reports, or wrote to it,"
    said = template.output.tail()
    if module is None:
        raise TemplateError(
            f"The template {ended} before it imported a block. {detail}".rstrip(), evidence=said
        )
    return _problem(module, "crash", how, said)


def _problem(module: Importing, kind: ProblemKind, message: str, evidence: str) -> ImportProblem:
    return ImportProblem(
        module=module.module,
        file=module.file,
        line=None,
        kind=kind,
        message=message + ".",
        traceback=evidence,
    )
