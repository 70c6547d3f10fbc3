"""Helper processes that SIGKILL does not end, as one that imports from a disk that is dead: nobody waits for them."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from launcher_support import ProcessLauncher, a_process, is_there
from played_template import IMPORTS, PlayedTemplate, Stage
from test_launcher_spawn_starts import Interpreter

from jobrunner.protocol.control import Started, announce_start
from jobrunner.protocol.entry import Discovery
from supervisor.errors import LaunchError
from supervisor.launcher import Imports, SparePool
from supervisor.launcher import spawned_middle as middle_module
from supervisor.launcher.environment import job_environment
from supervisor.launcher.fork_requests import ForkRequests
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.session_holders import MOST, SessionHolder, SessionHolders
from supervisor.launcher.spawn_launcher import SpawnLauncher
from supervisor.launcher.template import TemplateLauncher
from supervisor.log.events.processes import TemplateEnded, TemplateReplaced
from supervisor.process.proc import status_of
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until
from tests.unkillable import held

HANGS = """
import os, time
from pathlib import Path
Path({place!r}).write_text(f"{{os.getpid()}}\\n")
while not os.path.exists({go!r}):
    time.sleep(0.01)
os.closerange(3, 100)
time.sleep(1000)
"""
"""Given up as soon as it is told to go on: its report is over."""


@contextlib.contextmanager
def unkillable(pid: int) -> Iterator[None]:
    """Let `pid` not end, until this is left. Who waits for it with the loop is set free, and fails, after some time."""

    def let_go() -> None:
        os.kill(int(status_of(pid)["TracerPid"]), signal.SIGKILL)

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(held(pid))
        except PermissionError:
            pytest.skip("a process of the same user may not be traced here")
        bound = threading.Timer(PATIENCE_SECONDS, let_go)
        stack.callback(bound.cancel)
        bound.start()
        yield
        assert is_there(pid)  # else the time was over


async def test_a_module_that_hangs_and_can_not_be_killed_is_left_out_and_the_start_goes_on(
    tmp_path: Path,
) -> None:
    path, place, go = tmp_path / "hangs.py", tmp_path / "pid", tmp_path / "go"
    path.write_text(HANGS.format(place=str(place), go=str(go)))
    environment = job_environment(os.environ, frozenset())
    launcher = TemplateLauncher(Imports(Discovery((str(path),)), environment, PATIENCE_SECONDS))
    starting = asyncio.ensure_future(launcher.start())
    await until(lambda: place.exists() and place.read_text().endswith("\n"))
    hung = int(place.read_text())
    with unkillable(hung):
        go.touch()
        (problem,) = (await starting).problems
        assert "closed descriptors" in problem.message
        assert launcher.template_pid not in {hung, None}
        assert not launcher.known_children.unknown({hung})  # no stray, although it has not ended
    await until(lambda: not is_there(hung))
    await launcher.close()
    assert launcher.known_children.unknown({hung}) == {hung}


async def test_a_template_that_hears_nothing_more_and_can_not_be_killed_is_told_and_replaced(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (old,) = stage.templates
    with unkillable(old.pid):
        old._theirs.close()
        await until(lambda: len(stage.templates) == 2)
        await until(lambda: told(caplog, TemplateReplaced))
        (replaced,) = told(caplog, TemplateReplaced)
        assert replaced["pid"] == old.pid
        assert "does not end by SIGKILL" in replaced["reason"]
    await until(lambda: old.ends == 1)
    assert told(caplog, TemplateEnded) == []


async def test_what_a_template_that_can_not_be_killed_is_asked_for_fails_at_once(stage: Stage) -> None:
    (old,) = stage.templates
    template: Any = stage.launcher._template
    with unkillable(old.pid):
        old._theirs.close()
        await until(lambda: stage.launcher.template_pid != old.pid)
        with pytest.raises(LaunchError, match="The template is gone"):
            await stage.launcher._child_starts.ask(template, lambda _: pytest.fail("it was asked"), 1000.0)
    await until(lambda: old.ends == 1)


async def test_a_reload_does_not_wait_for_an_old_template_that_can_not_be_killed(stage: Stage) -> None:
    (old,) = stage.templates
    with unkillable(old.pid):
        await stage.launcher.reload(IMPORTS, lambda _: None)
        assert stage.launcher.template_pid == stage.templates[1].pid
    await until(lambda: old.ends == 1)


async def test_the_end_of_the_worker_does_not_wait_for_what_can_not_be_killed(stage: Stage) -> None:
    (template,) = stage.templates
    holder = a_process()
    stage.launcher._requests.reap_later(holder)
    os.kill(holder, signal.SIGKILL)
    with unkillable(template.pid):
        await stage.launcher.close()
        assert not is_there(holder)  # but for what can


def played_holder(template: PlayedTemplate) -> tuple[SessionHolder, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    owner: Any = template
    return SessionHolder(a_process(), ours, owner, 0.0), theirs


async def test_a_session_holder_that_can_not_be_killed_is_heard_until_it_is_dead(stage: Stage) -> None:
    requests = ForkRequests(KnownChildren())
    holders = SessionHolders(requests, lambda: None)
    holder, theirs = played_holder(stage.templates[0])
    holders.add(holder)
    request = requests.begin(holder, is_own_child=True)
    late = a_process()
    with theirs, unkillable(holder.pid):
        holders.end(holder, reason="It is not wanted.")
        with pytest.raises(LaunchError, match="It is not wanted"):
            await request.started
        requests.reap_unclaimed()
        announce_start(theirs, Started(request.number, late))
    await until(lambda: requests.reap_unclaimed() or not is_there(late))
    assert not is_there(holder.pid)
    assert holder.control.fileno() == -1
    holders.close()


@pytest.mark.parametrize("child_count", [0, 1])
async def test_an_interpreter_that_can_not_be_killed_holds_up_nothing_and_its_child_ends_after_it(
    monkeypatch: pytest.MonkeyPatch, child_count: int
) -> None:
    monkeypatch.setattr(Interpreter, "child_count", child_count)
    monkeypatch.setattr(middle_module, "Spawned", Interpreter)
    made: list[Interpreter] = []
    monkeypatch.setattr(Interpreter, "__init__", keeping(made))
    launcher = SpawnLauncher(IMPORTS)
    starting = asyncio.ensure_future(launcher.spawn_child())
    while not made:
        await asyncio.sleep(0)  # not longer: it is ended when its announcement is heard
    (interpreter,) = made
    with unkillable(interpreter.pid):
        launcher.drain_starts()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    await until(lambda: not any(map(is_there, (interpreter.pid, *interpreter.children))))
    await until(lambda: interpreter.forgotten == 1)
    await launcher.close()


def keeping(made: list[Interpreter]) -> Any:
    init = Interpreter.__init__

    def keep(self: Interpreter, *given: Any) -> None:
        init(self, *given)
        made.append(self)

    return keep


async def test_the_end_of_the_spares_does_not_wait_for_one_that_can_not_be_killed(
    process_launcher: ProcessLauncher,
) -> None:
    spares = SparePool(process_launcher, 2)
    spares.refill()
    await until(lambda: spares.ready == 2)
    stuck, other = process_launcher.started
    with unkillable(stuck.pid):
        await spares.close()
        assert not is_there(other.pid)
    await until(lambda: stuck._closed)


def test_a_session_holder_whose_start_failed_leaves_its_place_to_the_next() -> None:
    holders = SessionHolders(ForkRequests(KnownChildren()), lambda: None)
    for _ in range(MOST):
        with pytest.raises(LaunchError), holders.one_more():
            raise LaunchError("no memory is left")
    assert not holders.is_full
    with contextlib.ExitStack() as starting:
        for _ in range(MOST):
            starting.enter_context(holders.one_more())
        assert holders.is_full
