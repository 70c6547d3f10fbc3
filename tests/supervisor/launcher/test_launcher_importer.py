"""Following a template's imports: what hangs or ends it is named and left out, and each template but the last is ended.

The templates are played: real processes that sleep, whose reports the test writes.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from launcher_support import a_process, is_there, open_descriptors

from jobrunner.protocol.catalogue import Catalogue, ImportProblem
from jobrunner.protocol.entry import Discovery
from jobrunner.protocol.linux import DUMP_SIGNAL
from jobrunner.protocol.messages import CatalogueReady, Importing, Log
from supervisor.errors import TemplateError
from supervisor.launcher import Imports
from supervisor.launcher import endings as endings_module
from supervisor.launcher import importer as importer_module
from supervisor.launcher.environment import job_environment
from supervisor.launcher.importer import TemplateProcess, start_template
from supervisor.launcher.known_children import KnownChildren
from supervisor.log.events.blocks import ImportRepeated, ImportSlow, ModuleSkipped
from supervisor.process.signal_names import how_it_ended
from tests.log_events import names, told
from tests.patience import until
from tests.simulated_time import elapsed, simulate

IMPORTS = Imports(Discovery(("somewhere",)), {}, import_seconds=40.0)
READY = CatalogueReady().pack(Catalogue().model_dump_json().encode())
CATALOGUE_WITH = Catalogue(
    problems=(
        ImportProblem(module="raises", file=None, line=3, kind="error", message="it raised.", traceback=""),
    )
)
A, B = (Importing(module=name, file=f"/opt/{name}.py").pack() for name in ("a", "b"))
Script = Callable[["Played"], None]


class Output:
    """What a template has printed."""

    def __init__(self) -> None:
        self.printed = "printed"

    def tail(self) -> str:
        return self.printed


class Played(TemplateProcess):
    """A template that does as its script says. Keeps the signals that it gets."""

    def __init__(self, stage: "Stage", discovery: Discovery) -> None:
        self.pid = a_process()
        self.discovery = discovery
        self.report, self.theirs = socket.socketpair()
        self.report.setblocking(False)
        self.output = Output()
        self.was_killed = False
        self.control: Any = SimpleNamespace(close=lambda: None)
        self._known_children = KnownChildren()
        self._ends = self._reaped = False
        stage.played.append(self)
        stage.scripts[len(stage.played) - 1](self)

    def reap(self) -> str:
        self._ends = self._reaped = True
        _, status = os.waitpid(self.pid, 0)
        return how_it_ended(os.waitstatus_to_exitcode(status))

    def say(self, *frames: bytes) -> None:
        self.theirs.sendall(b"".join(frames))

    def hang_up(self) -> None:
        self.theirs.close()

    def die(self, number: int = signal.SIGSEGV) -> None:
        os.kill(self.pid, number)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self.theirs.close()


class Stage:
    """The templates of one test."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.played: list[Played] = []

    async def start(self, *scripts: Script, imports: Imports = IMPORTS, **asked: bool) -> Catalogue:
        self.scripts = list(scripts)
        template, catalogue = await start_template(imports, KnownChildren(), **asked)
        assert template is self.played[-1]
        assert is_there(template.pid)
        await template.end()
        return catalogue

    def skipped(self) -> list[tuple[str, ...]]:
        return [one.discovery.skip_modules for one in self.played]

    def close(self) -> None:
        for one in self.played:
            one.theirs.close()
            one.report.close()
            if not one._reaped:
                os.kill(one.pid, signal.SIGKILL)
                one.reap()


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    stage = Stage()
    monkeypatch.setattr(
        importer_module, "TemplateProcess", lambda imports, _: Played(stage, imports.discovery)
    )
    monkeypatch.setattr(importer_module, "_STACK_SECONDS", 0.0)
    monkeypatch.setattr(importer_module, "_EXIT_SECONDS", 0.02)
    yield stage
    stage.close()


def good(one: Played) -> None:
    one.say(A, B, READY)


async def test_a_template_whose_modules_all_load_is_kept_with_its_catalogue(stage: Stage) -> None:
    before = open_descriptors()
    found = await stage.start(lambda one: one.say(A, CatalogueReady().pack(CATALOGUE_WITH.to_json())))
    assert found == CATALOGUE_WITH
    assert stage.skipped() == [()]
    stage.close()
    await until(lambda: open_descriptors() == before)


async def test_a_module_that_starts_a_thread_is_left_out_where_children_are_to_be_forked_in_any_case(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    thread = ImportProblem(
        module="a", file="/opt/a.py", line=None, kind="thread", message="started a thread", traceback=""
    )
    with_thread = CatalogueReady().pack(Catalogue(problems=(thread,)).to_json())
    assert (await stage.start(lambda one: one.say(A, with_thread))).starts_threads
    before = len(stage.played)
    scripts: list[Script] = [lambda one: one.say(A, with_thread), lambda one: one.say(B, READY)]
    found = await stage.start(*[lambda _: None] * before, *scripts, leaves_out_threads=True)
    assert not found.starts_threads
    assert [problem.module for problem in found.not_imported] == ["a"]
    assert stage.skipped()[before:] == [(), ("a",)]
    assert stage.played[before]._reaped
    (left_out,) = told(caplog, ModuleSkipped)
    assert left_out["module"] == "a"


async def test_imports_that_take_long_are_said_once_with_the_module_that_they_are_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(importer_module, "SLOW_SECONDS", 0.01)
    starting = asyncio.ensure_future(stage.start(lambda one: one.say(A)))
    await until(lambda: told(caplog, ImportSlow))
    stage.played[0].say(B, READY)
    assert await starting == Catalogue()
    (slow,) = told(caplog, ImportSlow)
    assert (slow["place"], slow["limit_seconds"]) == ("/opt/a.py", 40.0)
    assert stage.skipped() == [()]


async def test_a_module_that_hangs_is_asked_where_ended_and_left_out_of_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    kill = os.kill

    def watched(pid: int, number: int) -> None:
        sent.append((pid, number))
        if number != DUMP_SIGNAL:  # which would end one that does not catch it
            kill(pid, number)
        else:
            stage.played[-1].output.printed = "its stack"

    monkeypatch.setattr(importer_module.os, "kill", watched)
    imports = Imports(Discovery(("somewhere",)), {}, import_seconds=0.01)
    found = await stage.start(lambda one: one.say(A, B), good, imports=imports)
    first = stage.played[0]
    assert sent[:2] == [(first.pid, DUMP_SIGNAL), (first.pid, signal.SIGKILL)]
    assert not is_there(first.pid)
    (problem,) = found.problems
    assert (problem.module, problem.file, problem.kind) == ("b", "/opt/b.py", "hang")
    assert "longer than 0.01 s" in problem.message
    assert problem.traceback == "its stack"
    assert stage.skipped() == [(), ("b",)]


def test_the_stack_of_a_module_that_hangs_delays_the_start_by_less_than_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each module that hangs costs its whole time already."""
    stage = Stage()
    monkeypatch.setattr(
        importer_module, "TemplateProcess", lambda imports, _: Played(stage, imports.discovery)
    )
    monkeypatch.setattr(importer_module.os, "kill", signal_but_for_the_dump)
    # What is simulated does not wait for the kernel, which ends the two templates in milliseconds.
    monkeypatch.setattr(endings_module, "MOMENT_SECONDS", 0.0)

    async def start() -> float:
        await stage.start(lambda one: one.say(A), good)
        return elapsed()

    try:
        assert 40.0 < simulate(start()) < 41.0
    finally:
        stage.close()


async def test_a_module_that_ends_the_process_is_named_with_how_and_left_out(stage: Stage) -> None:
    found = await stage.start(
        lambda one: (one.say(A), one.die()), lambda one: (one.say(A, B), one.die(signal.SIGABRT)), good
    )
    assert [(one.module, one.kind) for one in found.problems] == [("a", "crash"), ("b", "crash")]
    assert "with signal SIGSEGV" in found.problems[0].message
    assert "with signal SIGABRT" in found.problems[1].message
    assert found.problems[0].traceback == "printed"
    assert stage.skipped() == [(), ("a",), ("a", "b")]
    assert [is_there(one.pid) for one in stage.played] == [False] * 3


async def test_a_module_during_which_somebody_sent_sigkill_is_tried_three_times(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def killed(one: Played) -> None:
        one.say(A)
        one.die(signal.SIGKILL)

    found = await stage.start(killed, killed, killed, good)
    assert [one.module for one in found.problems] == ["a"]
    assert stage.skipped() == [(), (), (), ("a",)]
    assert names(caplog.records) == [ImportRepeated.name] * 2 + [ModuleSkipped.name]
    (skipped,) = told(caplog, ModuleSkipped)
    assert skipped["module"] == "a"
    assert {event["problem"] for event in told(caplog, ImportRepeated)} == {skipped["problem"]}


async def test_a_template_that_hangs_up_and_lives_is_ended_and_its_module_named(stage: Stage) -> None:
    found = await stage.start(lambda one: (one.say(A), one.hang_up()), good)
    (problem,) = found.problems
    assert (problem.module, problem.kind) == ("a", "crash")
    assert "closed descriptors that are not its own" in problem.message
    assert not is_there(stage.played[0].pid)
    # The SIGKILL was the worker's own: it is no reason to try again.
    assert stage.skipped() == [(), ("a",)]


@pytest.mark.parametrize(
    "said",
    [CatalogueReady().pack(b'{"blocks": 3}'), CatalogueReady().pack(b"no JSON"), b"\xff" * 8],
    ids=["another shape", "no JSON", "no frame"],
)
async def test_a_report_that_can_not_be_read_is_the_module_s(stage: Stage, said: bytes) -> None:
    found = await stage.start(lambda one: one.say(A, said), good)
    assert [one.module for one in found.problems] == ["a"]
    assert not is_there(stage.played[0].pid)


async def test_a_module_that_logs_on_and_on_hangs_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def chatter(one: Played) -> None:
        while not one._reaped:
            one.theirs.send(Log(level=10, logger="a", text="and on", created=0.0).pack())
            await asyncio.sleep(0.001)

    chattering: list[asyncio.Task[None]] = []
    monkeypatch.setattr(importer_module.os, "kill", lambda pid, number: signal_but_for_the_dump(pid, number))
    imports = Imports(Discovery(("somewhere",)), {}, import_seconds=0.05)
    found = await stage.start(
        lambda one: (one.say(A), chattering.append(asyncio.ensure_future(chatter(one)))),
        good,
        imports=imports,
    )
    assert [(one.module, one.kind) for one in found.problems] == [("a", "hang")]
    await asyncio.gather(*chattering, return_exceptions=True)


async def test_a_template_that_somebody_stops_while_it_imports_is_started_again_and_no_module_left_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer_module.os, "kill", signal_but_for_the_dump)

    def stopped(one: Played) -> None:
        one.say(A)
        signal_but_for_the_dump(one.pid, signal.SIGSTOP)

    imports = Imports(Discovery(("somewhere",)), {}, import_seconds=0.05)
    found = await stage.start(stopped, good, imports=imports)
    assert found.problems == ()
    assert stage.skipped() == [(), ()]


def signal_but_for_the_dump(pid: int, number: int) -> None:
    if number != DUMP_SIGNAL:
        signal.pidfd_send_signal(descriptor := os.pidfd_open(pid), number)
        os.close(descriptor)


async def test_what_ends_before_any_module_is_no_module_s_fault(stage: Stage) -> None:
    with pytest.raises(TemplateError, match="ended with signal SIGSEGV before it imported a block") as caught:
        await stage.start(lambda one: one.die())
    assert caught.value.evidence == "printed"


async def test_a_template_that_lives_without_its_reports_is_not_said_to_have_ended(stage: Stage) -> None:
    with pytest.raises(TemplateError, match="closed the descriptor of its reports, or wrote to it, before"):
        await stage.start(lambda one: one.hang_up())
    assert not is_there(stage.played[0].pid)


async def test_what_hangs_before_any_module_is_no_module_s_fault(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer_module, "START_SECONDS", 0.01)
    monkeypatch.setattr(importer_module.os, "kill", signal_but_for_the_dump)
    with pytest.raises(TemplateError, match=r"did not answer within 0\.01 s"):
        await stage.start(lambda one: None)
    assert not is_there(stage.played[0].pid)


async def test_a_start_that_is_given_up_ends_its_template(stage: Stage) -> None:
    starting = asyncio.ensure_future(stage.start(lambda one: one.say(A)))
    await until(lambda: stage.played)
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert not is_there(stage.played[0].pid)


async def test_what_a_module_logs_keeps_its_level_and_its_logger(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "template")
    records = [
        Log(level=level, logger=f"lib.{level}", text="text", created=0.0, cut_chars=cut)
        for level, cut in ((10, 0), (20, 0), (40, 7))
    ]
    await stage.start(lambda one: one.say(A, *(record.pack() for record in records), READY))
    seen = [(record.name, record.levelno, record.getMessage()) for record in caplog.records]
    assert seen == [("lib.20", 20, "text"), ("lib.40", 40, "text … [7 more characters cut]")]


async def test_a_real_template_leaves_no_process_and_no_descriptor(tmp_path: Any) -> None:
    (tmp_path / "empty.py").touch()
    imports = Imports(Discovery((str(tmp_path),)), job_environment(os.environ, frozenset()))
    known_children = KnownChildren()
    # The first start brings up the helper of `multiprocess`, which stays.
    template, _ = await start_template(imports, known_children)
    await template.end()
    await asyncio.sleep(0)
    before = open_descriptors()
    template, catalogue = await start_template(imports, known_children)
    assert catalogue.problems == ()
    assert known_children.unknown({template.pid}) == set()
    assert await template.end_by_itself(0.0) is None
    await template.end()
    await template.end()  # twice is once: its number may be another's by now
    await until(lambda: open_descriptors() == before)
    assert known_children.unknown({template.pid}) == {template.pid}
    assert not is_there(template.pid)


ENDS_ITSELF = f"import os\nos.kill(os.getpid(), {DUMP_SIGNAL + 1:d})\n"
HANGS_DEAF = f"""
import faulthandler, time
faulthandler.unregister({DUMP_SIGNAL:d})
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("source", "import_seconds", "kind", "said"),
    [
        (ENDS_ITSELF, 40.0, "crash", "with signal SIGRTMIN+6."),
        # It is asked where it hangs by a signal that ends it.
        (HANGS_DEAF, 0.5, "hang", "longer than 0.5 s"),
    ],
    ids=["while it imports", "by being asked where it hangs"],
)
async def test_a_real_template_that_ends_by_a_real_time_signal_costs_its_module_alone(
    tmp_path: Any,
    caplog: pytest.LogCaptureFixture,
    source: str,
    import_seconds: float,
    kind: str,
    said: str,
) -> None:
    (tmp_path / "bad.py").write_text(source)
    discovery = Discovery((str(tmp_path),), import_all=True)
    imports = Imports(discovery, job_environment(os.environ, frozenset()), import_seconds)
    template, catalogue = await start_template(imports, KnownChildren())
    await template.end()
    (problem,) = catalogue.problems
    assert (problem.file, problem.kind) == (str(tmp_path / "bad.py"), kind)
    assert said in problem.message
    assert names(caplog.records) == [ModuleSkipped.name]


HOLDS_UP_THE_LOOK_AT_PATHS = """
import time
from jobrunner.isolation.shared_paths import SharedPaths
SharedPaths.open = lambda self: time.sleep(600)
"""


async def test_no_module_is_blamed_for_a_file_system_that_holds_up_what_comes_after_the_imports(
    tmp_path: Any,
) -> None:
    (tmp_path / "innocent.py").write_text(HOLDS_UP_THE_LOOK_AT_PATHS)
    discovery = Discovery((str(tmp_path),), import_all=True)
    imports = Imports(discovery, job_environment(os.environ, frozenset()), import_seconds=20.0)
    template, catalogue = await start_template(imports, KnownChildren())
    await template.end()
    assert not catalogue.problems
