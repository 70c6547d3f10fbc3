"""On a machine without a process, thread or descriptor to give, a start fails with an error of ours, and cleanly."""

import _posixsubprocess
import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest
from launcher_support import a_process, is_there, open_descriptors, with_ever_more_descriptors
from played_template import IMPORTS, Stage, asked

from jobrunner.protocol.control import Started, announce_start
from jobrunner.protocol.entry import Discovery
from supervisor.errors import LaunchError, TemplateError
from supervisor.launcher import Imports
from supervisor.launcher import child_starts as child_starts_module
from supervisor.launcher import importer as importer_module
from supervisor.launcher import spawn_launcher as spawn_module
from supervisor.launcher import spawned_middle as middle_module
from supervisor.launcher import template as template_module
from supervisor.launcher.importer import TemplateProcess
from supervisor.launcher.known_children import KnownChildren, direct_children
from supervisor.launcher.multiprocessing_spawn import Spawned
from supervisor.launcher.spawn_launcher import SpawnLauncher
from supervisor.log.events.processes import TemplateMissing, TemplateReady
from tests.log_events import records_of, told
from tests.patience import until

NO_THREAD = RuntimeError("can't start new thread")
SHORTAGES = [
    (OSError(errno.EAGAIN, "x"), "Raise the limit of processes"),
    (OSError(errno.EMFILE, "x"), "Raise the limit of open files"),
    (OSError(errno.ENFILE, "x"), "fs.file-max"),
    (OSError(errno.ENOMEM, "x"), "more memory"),
    (NO_THREAD, "Raise the limit of processes"),
]
CALLS: dict[str, tuple[Any, str]] = {
    "socketpair": (socket, "socketpair"),
    "pipe": (os, "pipe"),
    "process": (_posixsubprocess, "fork_exec"),
    "reader": (importer_module, "OutputReader"),
}
"""What a template's start calls."""


def fails(error: Exception, at_call: int = 1, real: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """A call that fails from the given time on."""
    calls = 0

    def call(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= at_call:
            raise error
        assert real is not None
        return real(*arguments, **options)

    return call


@pytest.mark.parametrize(("error", "advice"), SHORTAGES)
@pytest.mark.parametrize(
    ("call", "at_call"),
    [("socketpair", 1), ("socketpair", 2), *(("pipe", n) for n in (1, 2, 3)), ("process", 1), ("reader", 1)],
)
async def test_a_template_that_can_not_be_started_is_a_retryable_error_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, call: str, at_call: int, error: Exception, advice: str
) -> None:
    before, children, known_children = open_descriptors(), direct_children(), KnownChildren()
    owner, name = CALLS[call]
    monkeypatch.setattr(owner, name, fails(error, at_call, getattr(owner, name)))
    with pytest.raises(TemplateError, match=advice) as raised:
        TemplateProcess(Imports(Discovery(()), {}), known_children)
    assert raised.value.retryable
    assert raised.value.__cause__ is error
    assert open_descriptors() == before
    assert direct_children() == children
    assert known_children.unknown(direct_children()) == known_children.unknown(children)


async def test_a_template_for_which_descriptors_run_out_leaves_none_open_however_far_it_came() -> None:
    before = open_descriptors()
    template, refused = with_ever_more_descriptors(
        lambda: TemplateProcess(Imports(Discovery(()), dict(os.environ)), KnownChildren()), TemplateError
    )
    await template.end()
    template.report.close()
    assert len(refused) >= 8
    assert open_descriptors() == before


async def test_a_template_that_can_not_be_followed_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    before, children = open_descriptors(), direct_children()
    monkeypatch.setattr(importer_module.asyncio, "open_connection", fails(OSError(errno.ENOMEM, "x")))
    with pytest.raises(TemplateError, match="can't be followed") as raised:
        await importer_module.start_template(IMPORTS, KnownChildren())
    assert raised.value.retryable
    assert open_descriptors() == before
    assert direct_children() == children


async def test_a_template_that_can_not_be_listened_to_is_ended_and_the_old_one_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = stage.templates
    monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", fails(OSError(errno.ENOMEM, "x")))
    with pytest.raises(TemplateError, match="can't be listened to"):
        await stage.launcher.reload(IMPORTS, lambda _: None)
    assert not is_there(stage.templates[1].pid)
    assert stage.launcher.template_pid == old.pid


@pytest.mark.parametrize(
    "error", [OSError(errno.EAGAIN, "x"), NO_THREAD, ValueError("a mistake of ours"), MemoryError()]
)
async def test_whatever_keeps_a_template_from_coming_back_is_logged_and_it_comes_back_afterwards(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(template_module, "_FIRST_PAUSE_SECONDS", 0.001)
    stage.problems.extend([error] * 3)  # type: ignore[list-item]  # not only those that are expected
    stage.templates[0].die()
    await until(lambda: len(stage.templates) == 2 and stage.launcher.template_pid == stage.templates[1].pid)
    (missing,) = records_of(caplog, TemplateMissing)  # once, not three times
    assert missing.levelname == "CRITICAL"
    assert missing.exc_info is not None
    assert missing.exc_info[1] is error
    assert told(caplog, TemplateReady) == [{"pid": stage.templates[1].pid}]


async def test_a_template_that_can_not_be_asked_is_not_called_gone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_descriptors()
    monkeypatch.setattr(child_starts_module, "send_fork_request", fails(OSError(errno.ENOMEM, "x")))
    with pytest.raises(LaunchError, match="can't be asked for a child: Cannot allocate memory"):
        await stage.launcher.spawn_child()
    assert open_descriptors() == before


class Interpreter(Spawned):
    """What a launcher holds of an interpreter: a process that sleeps, and announces another."""

    def __init__(self, _: object, arguments: tuple[Any, ...], *__: object) -> None:
        self.pid, self.child = a_process(), a_process()
        with socket.socket(fileno=os.dup(arguments[1]._descriptor)) as control:
            announce_start(control, Started(0, self.child))
        self.forgotten = 0
        started.append(self)

    def forget(self) -> None:
        self.forgotten += 1


started: list[Interpreter] = []


@pytest.mark.parametrize(
    ("name", "at_call", "what"),
    [
        ("pidfd_open", 1, "can't be watched"),
        ("add_reader", 1, "could not be started"),  # that of the interpreter
        ("add_reader", 2, "can't be watched"),
    ],
)
async def test_an_interpreter_or_a_child_that_can_not_be_watched_is_ended_waited_for_and_forgotten(
    monkeypatch: pytest.MonkeyPatch, name: str, at_call: int, what: str
) -> None:
    before = open_descriptors()
    started.clear()
    monkeypatch.setattr(middle_module, "Spawned", Interpreter)
    owner: Any = spawn_module.os if name == "pidfd_open" else asyncio.get_running_loop()
    monkeypatch.setattr(owner, name, fails(OSError(errno.EMFILE, "x"), at_call, getattr(owner, name)))
    launcher = SpawnLauncher(IMPORTS)
    with pytest.raises(LaunchError, match=rf"{what}: Too many open files \(EMFILE\)\. Raise the limit"):
        await launcher.spawn_child()
    (interpreter,) = started
    assert not is_there(interpreter.pid)
    assert interpreter.forgotten == 1
    assert launcher.known_children.unknown({interpreter.pid}) == {interpreter.pid}
    if what == "could not be started":  # it is the interpreter's own
        os.kill(interpreter.child, signal.SIGKILL)
        os.waitpid(interpreter.child, 0)
    assert not is_there(interpreter.child)
    assert open_descriptors() == before


@pytest.mark.parametrize(("error", "advice"), SHORTAGES)
@pytest.mark.parametrize(("call", "at_call"), [("process", 1), *(("pipe", n) for n in (3, 4))])
async def test_an_interpreter_that_can_not_be_started_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, call: str, at_call: int, error: Exception, advice: str
) -> None:
    """The first two pipes are the wiring's, the next two those of `multiprocess`."""
    before, children = open_descriptors(), direct_children()
    owner, name = CALLS[call]
    monkeypatch.setattr(owner, name, fails(error, at_call, getattr(owner, name)))
    with pytest.raises(LaunchError, match=advice):
        await SpawnLauncher(IMPORTS).spawn_child()
    assert open_descriptors() == before
    assert direct_children() == children


async def test_a_fork_that_can_not_be_watched_by_the_loop_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_descriptors()
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    request = await asked(stage.templates[0])
    loop = asyncio.get_running_loop()
    add = loop.add_reader

    def refuse_pidfds(descriptor: Any, *arguments: Any) -> None:
        if isinstance(descriptor, int) and "pidfd" in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOMEM, "x")
        add(descriptor, *arguments)

    monkeypatch.setattr(loop, "add_reader", refuse_pidfds)
    pid = stage.templates[0].spawn_child(*request)
    with pytest.raises(LaunchError, match="can't be watched: Cannot allocate memory"):
        await starting
    await until(lambda: not is_there(pid))  # it sleeps, so that it was killed, and the launcher waits for it
    assert open_descriptors() == before
