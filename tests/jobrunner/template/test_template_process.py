"""The template as a process: one thread, deaf to signals, and not missed when it dies."""

import ast
import os
import signal
from pathlib import Path

import pytest
from hosting import ROOT, Host, hosted, is_alive

from supervisor.log.events.blocks import InterpreterForEachJob
from tests.patience import wait_until

THREAD_AT_IMPORT = (
    "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
)


def test_the_template_has_one_thread(host: Host) -> None:
    template = host.ask("processes")["template"]
    assert len(os.listdir(f"/proc/{template}/task")) == 1


def test_the_template_has_a_session_of_its_own(host: Host) -> None:
    template = host.ask("processes")["template"]
    assert os.getsid(template) == template


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_template_ignores_what_asks_the_supervisor_to_stop(host: Host, number: int) -> None:
    template = host.ask("processes")["template"]
    os.kill(template, number)
    host.run("slow", {"seconds": 0})
    host.run("slow", {"seconds": 0})
    assert host.ask("processes")["template"] == template
    assert is_alive(template)


def test_running_jobs_survive_the_template_and_a_new_one_comes(host: Host) -> None:
    template = host.ask("processes")["template"]
    running = host.start("slow", parameters={"seconds": 1})
    host.ask("processes")
    os.kill(template, signal.SIGKILL)
    assert host.wait(running)["cause"] == "completed"
    # The one spare that was left, and then a child of the new template.
    assert [host.run("slow", {"seconds": 0})["cause"] for _ in range(3)] == ["completed"] * 3
    assert host.ask("processes")["template"] not in (None, template)


def test_the_template_is_a_daemon_for_multiprocess(host: Host) -> None:
    assert host.ask("template_is_daemon")["daemon"] is True


def test_a_normal_end_of_the_supervisor_is_not_held_up_by_the_template(tmp_path: Path) -> None:
    """`multiprocess` joins processes that are no daemons at exit, for ever."""
    with hosted(tmp_path, leave_without_closing=True) as host:
        template = host.ask("processes")["template"]
        assert host.end() == 0
    wait_until(lambda: not is_alive(template))


def test_a_module_that_starts_a_thread_is_named_and_children_are_spawned(tmp_path: Path) -> None:
    module = tmp_path / "sources" / "starts_thread.py"
    module.parent.mkdir()
    module.write_text(THREAD_AT_IMPORT)
    with hosted(tmp_path, sources=["blocks.testing", str(module)], by_settings=True) as host:
        assert host.hello["launcher"] == "SpawnLauncher"
        (problem,) = host.problems
        assert (problem["kind"], problem["file"]) == ("thread", str(module))
        (told,) = host.events(InterpreterForEachJob)
        assert str(module) in told["reason"]
        assert host.run("slow", {"seconds": 0})["cause"] == "completed"


def waits_for_anyone(node: ast.AST) -> bool:
    """Whether `node` is a call that reaps whatever child comes first."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    first = ast.unparse(node.args[0]) if node.args else ""
    name = node.func.attr
    return (
        (name in {"waitpid", "wait4"} and first in {"-1", "0"})
        or (name in {"wait", "wait3"} and ast.unparse(node.func.value) == "os")
        or (name == "waitid" and first.endswith(("P_ALL", "P_PGID")))
    )


def test_the_supervisor_never_waits_for_just_any_child_in_its_source() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "supervisor").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if waits_for_anyone(node)
    }
    # The keeper is another process; the supervisor uses its function only to end everything and itself.
    assert found <= {"supervisor/keeper.py"}


@pytest.mark.parametrize(
    "call", ["os.waitpid(-1, 0)", "os.wait()", "os.wait3(0)", "os.waitid(os.P_ALL, 0, 4)"]
)
def test_the_scan_for_that_finds_each_way_to_do_it(call: str) -> None:
    assert any(map(waits_for_anyone, ast.walk(ast.parse(call))))


def test_the_supervisor_leaves_the_exit_code_of_a_child_that_is_not_a_job_s_alone(host: Host) -> None:
    assert host.ask("foreign_child_status")["code"] == 7
