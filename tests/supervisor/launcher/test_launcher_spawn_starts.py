"""Starting an interpreter for a child: what it imports, and that a start that fails leaves nothing open."""

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
from launcher_support import a_process, is_there, open_descriptors
from multiprocess import process as multiprocess_process

from jobrunner.protocol.catalogue import Catalogue, ImportProblem
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.control import Started, announce_start
from jobrunner.protocol.entry import Discovery
from supervisor.errors import LaunchError
from supervisor.launcher import Imports
from supervisor.launcher import job_users as job_users_module
from supervisor.launcher import spawn_launcher as spawn_module
from supervisor.launcher import spawned_middle as middle_module
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.environment import starting_for_jobs
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.multiprocessing_spawn import Spawned
from supervisor.launcher.spawn_launcher import SpawnLauncher
from tests.patience import PATIENCE_SECONDS, until

IMPORTS = Imports(Discovery(("somewhere",)), {"SHOWN": "1"})


class Interpreter(Spawned):
    """What a launcher holds of an interpreter: a process that sleeps. Keeps how it was started.

    It announces `children`, which are processes that sleep too, and none of which ever says that it is ready.
    """

    child_count = 1
    fails = False

    def __init__(self, target: Any, arguments: tuple[Any, ...], name: str, environment: Any) -> None:
        self.pid = a_process()
        self.arguments = arguments
        self.environment = environment
        self.forgotten = 0
        self.children = [a_process() for _ in range(self.child_count)]
        self.control = socket.socket(fileno=os.dup(arguments[1]._descriptor))
        for pid in [0] if self.fails else self.children:
            announce_start(self.control, Started(0, pid))
        started.append(self)

    def forget(self) -> None:
        self.forgotten += 1
        self.control.close()


started: list[Interpreter] = []


@pytest.fixture(autouse=True)
def interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    started.clear()
    monkeypatch.setattr(middle_module, "Spawned", Interpreter)
    monkeypatch.setattr(spawn_module, "START_TIMEOUT_SECONDS", PATIENCE_SECONDS)


@pytest.mark.parametrize("error", [OSError(errno.EAGAIN, "no process"), ValueError("a mistake of ours")])
async def test_a_start_that_fails_leaves_no_descriptor(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    before = open_descriptors()
    monkeypatch.setattr(middle_module, "Spawned", fail)
    expected = LaunchError if isinstance(error, OSError) else ValueError
    with pytest.raises(expected, match=r"Raise the limit of processes|a mistake of ours"):
        await SpawnLauncher(IMPORTS).spawn_child()
    assert open_descriptors() == before


async def test_a_child_that_does_not_get_ready_is_ended_forgotten_and_its_user_free_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_users_module, "_clean_up_after", lambda *_: "")
    before = open_descriptors()
    users = JobUsers([3_000_000_001])
    launcher = SpawnLauncher(IMPORTS, ConfinementPool(users))
    with pytest.raises(LaunchError, match="A child ended before it was ready"):
        await launcher.spawn_child()
    (interpreter,) = started
    await until(lambda: not any(map(is_there, (interpreter.pid, *interpreter.children))))
    await until(lambda: open_descriptors() == before)
    assert interpreter.forgotten == 1
    assert interpreter.environment == IMPORTS.environment
    assert interpreter.arguments[0] == os.getpid()
    assert interpreter.arguments[-3:] == (
        IMPORTS.discovery,
        Confinement(user=3_000_000_001),
        IMPORTS.isolation,
    )
    of_both = {interpreter.pid, *interpreter.children}
    assert launcher.known_children.unknown(of_both) == of_both
    await until(lambda: users._free)
    await launcher.close()


@pytest.mark.parametrize(
    ("child_count", "fails", "said"),
    [(0, False, "did not start a child within"), (0, True, "no process or memory")],
)
async def test_an_interpreter_that_starts_no_child_is_ended_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, child_count: int, fails: bool, said: str
) -> None:
    if not fails:  # it is not told, and waits until the time is over
        monkeypatch.setattr(spawn_module, "START_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(Interpreter, "child_count", child_count)
    monkeypatch.setattr(Interpreter, "fails", fails)
    before = open_descriptors()
    with pytest.raises(LaunchError, match=said):
        await SpawnLauncher(IMPORTS).spawn_child()
    (interpreter,) = started
    assert not is_there(interpreter.pid)
    assert interpreter.forgotten == 1
    assert open_descriptors() == before


async def test_an_interpreter_that_ends_before_it_starts_a_child_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ending(Interpreter):
        child_count = 0

        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self.control.close()
            os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(middle_module, "Spawned", Ending)
    with pytest.raises(LaunchError, match="ended before it started a child"):
        await SpawnLauncher(IMPORTS).spawn_child()


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "announced a moment ago"])
async def test_a_child_whose_start_was_given_up_is_ended(is_known: bool) -> None:
    launcher = SpawnLauncher(IMPORTS)
    starting = asyncio.ensure_future(launcher.spawn_child())
    while not started:
        await asyncio.sleep(0)
    if is_known:
        launcher.drain_starts()  # nobody has taken it yet
    else:
        (middle,) = launcher._middles
        asyncio.get_running_loop().remove_reader(middle._control)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    (interpreter,) = started
    assert not any(map(is_there, (interpreter.pid, *interpreter.children)))


class Ended:
    """A template that must be ended."""

    def __init__(self) -> None:
        self.ends = 0

    async def end(self) -> None:
        self.ends += 1


def problem(module: str, kind: Any) -> ImportProblem:
    return ImportProblem(module=module, file=None, line=None, kind=kind, message="m", traceback="")


@pytest.fixture
def catalogues(monkeypatch: pytest.MonkeyPatch) -> Callable[[Catalogue], Ended]:
    def give(catalogue: Catalogue) -> Ended:
        template = Ended()

        async def start(*_: object) -> tuple[Ended, Catalogue]:
            return template, catalogue

        monkeypatch.setattr(spawn_module, "start_template", start)
        return template

    return give


async def discovery_of_a_child(launcher: SpawnLauncher) -> Discovery:
    before = open_descriptors()
    with pytest.raises(LaunchError):
        await launcher.spawn_child()
    await until(lambda: open_descriptors() == before)
    discovery: Discovery = started[-1].arguments[-3]
    return discovery


async def test_children_leave_out_what_hung_or_crashed_and_import_what_only_raised(
    catalogues: Callable[[Catalogue], Ended],
) -> None:
    found = Catalogue(
        problems=(problem("hung", "hang"), problem("raised", "error"), problem("died", "crash"))
    )
    template = catalogues(found)
    launcher = SpawnLauncher(IMPORTS)
    assert await launcher.start() == found
    assert template.ends == 1
    assert (await discovery_of_a_child(launcher)).skip_modules == ("hung", "died")


async def test_what_is_rejected_changes_nothing_and_its_template_is_ended(
    catalogues: Callable[[Catalogue], Ended],
) -> None:
    def reject(_: Catalogue) -> None:
        raise ValueError("rejected")

    template = catalogues(Catalogue())
    launcher = SpawnLauncher(IMPORTS)
    newer = Imports(Discovery(("newer",)), {})
    with pytest.raises(ValueError, match="rejected"):
        await launcher.reload(newer, reject)
    assert template.ends == 1
    assert await discovery_of_a_child(launcher) == IMPORTS.discovery
    await launcher.reload(newer, lambda _: None)
    assert await discovery_of_a_child(launcher) == newer.discovery


def test_multiprocess_holds_nothing_of_a_process_that_was_started_for_the_supervisor() -> None:
    before = open_descriptors()
    known = set(multiprocess_process._children)
    spawned = Spawned(os._exit, (7,), "test", {"PATH": os.environ.get("PATH", "")})
    assert set(multiprocess_process._children) == known
    pid, status = os.waitpid(spawned.pid, 0)
    assert (pid, os.waitstatus_to_exitcode(status)) == (spawned.pid, 7)
    spawned.forget()
    left = open_descriptors() - before
    # At most the pipe to the helper of `multiprocess`, which its first start has brought up.
    assert len(left) <= 1


def test_a_start_sees_the_environment_of_jobs_and_no_main_module_and_all_is_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    before, main = dict(os.environ), sys.modules["__main__"]

    def fail() -> None:
        assert dict(os.environ) == {"SHOWN": "1"}
        assert vars(sys.modules["__main__"]).get("__file__") is None
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), starting_for_jobs({"SHOWN": "1"}):
        fail()
    assert dict(os.environ) == before
    assert sys.modules["__main__"] is main
    with starting_for_jobs(before):
        assert dict(os.environ) == before
    assert dict(os.environ) == before
