"""The demo from start to end, as a person runs it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
from demo_support import Run, run_demo

HIDE_ASYNCSSH = "import sys\nsys.modules['asyncssh'] = None\n"

EXPECTED = {
    "echo": ("success", "completed", ""),
    "host_facts": ("success", "completed", ""),
    "python_eval": ("success", "completed", ""),
    "show_command": ("success", "completed", ""),
    "hang_await": ("failed", "time_limit", "hangs.py"),
    "hang_sleep": ("failed", "time_limit", "hangs.py"),
    "gil_hog": ("failed", "time_limit", "hangs.py"),
    "ignore_sigterm_tree": ("failed", "time_limit", "descendants.py"),
    "segfault": ("failed", "crashed", "ends.py"),
    "exit_code": ("failed", "exited", ""),
}


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def run(temporary: Path, alone: Callable[[], AbstractContextManager[None]]) -> Run:
    """A run among settings of a worker that is configured on this machine, none of which it may follow."""
    settings = {
        "NEOPS_ENGINE_URL": "http://127.0.0.1:9",
        "NEOPS_MAX_CONCURRENT_JOBS": "1",
        "URL_BLACKBOARD": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    with alone():
        return run_demo("--json", temporary=temporary, changes=settings)


@pytest.fixture(scope="module")
def bare_run(
    tmp_path_factory: pytest.TempPathFactory, alone: Callable[[], AbstractContextManager[None]]
) -> Run:
    """A run on a machine that has no ping and no asyncssh."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "sitecustomize.py").write_text(HIDE_ASYNCSSH)
    with alone():
        return run_demo(temporary=folder, changes={"PYTHONPATH": str(folder), "PATH": str(folder)})


def test_the_demo_ends_with_0_well_within_a_minute(run: Run) -> None:
    assert run.exit_code == 0, run.messages + run.output
    assert run.report["problems"] == []
    assert run.report["as_expected"] is True
    assert run.seconds < 40


def test_every_job_ends_as_it_was_made_to(run: Run) -> None:
    seen = {
        name: (row["outcome"], row["cause"], row["where"].split(":")[0]) for name, row in run.rows.items()
    }
    # Not every machine has a ping, and not every one lets this user send one.
    assert seen.pop("ping")[0] == "success" or run.rows["ping"]["remark"]
    assert seen == EXPECTED


def test_the_place_where_a_job_was_killed_has_line_and_function(run: Run) -> None:
    killed = [row["where"] for row in run.rows.values() if row["cause"] == "time_limit"]
    assert len(killed) == 4
    for where in killed:
        file_and_line, function = where.split(" ")
        assert file_and_line.split(":")[1].isdecimal()
        assert function == "run"


def test_the_heartbeat_went_on_all_the_time_beside_the_machine_s_own_timer(run: Run) -> None:
    heartbeat, machine = run.report["heartbeat"], run.report["machine"]
    assert heartbeat["beats"] >= run.report["beats_due"] - 2 - run.report["held_up_beats"]
    assert machine["beats"] >= run.report["beats_due"] - 2
    assert 0 <= heartbeat["median_seconds"] <= heartbeat["worst_seconds"]


def test_no_process_is_left_though_three_kinds_of_descendants_ran(run: Run, temporary: Path) -> None:
    assert run.report["descendants_seen"] == ["plain", "setsid", "daemon"]
    assert run.report["left"] == []
    # What the demo starts works below its temporary directory, wherever it goes.
    assert [
        found.pid for found in psutil.process_iter() if _directory(found).startswith(str(temporary))
    ] == []


def test_no_temporary_directory_is_left(run: Run, temporary: Path) -> None:
    assert run.exit_code == 0
    assert list(temporary.iterdir()) == []


def test_without_asyncssh_the_device_s_job_is_skipped_and_the_extra_is_named(bare_run: Run) -> None:
    assert bare_run.exit_code == 0, bare_run.messages + bare_run.output
    assert "show_command was not run: asyncssh" in bare_run.output
    assert "pip install 'neops-supervisor[emulator]'" in bare_run.output


def test_a_missing_ping_is_told_and_no_failure_of_the_demo(bare_run: Run) -> None:
    assert bare_run.exit_code == 0
    assert "ping was not run: The program `ping` is not installed on this worker." in bare_run.output


def test_the_table_is_no_wider_than_a_page_and_the_conclusion_comes_last(bare_run: Run) -> None:
    lines = bare_run.output.splitlines()
    assert max(map(len, lines)) <= 150
    conclusion = " ".join(bare_run.output.split())
    assert "9 of 11 jobs ended as expected, in " in conclusion
    assert conclusion.endswith("Not run: ping, show_command.")
    assert "Processes left over: 0" in bare_run.output


def test_progress_is_plain_lines_where_there_is_no_terminal(bare_run: Run) -> None:
    assert "\x1b" not in bare_run.messages + bare_run.output
    assert bare_run.messages.splitlines()[0] == "Starting the engine, the emulated device and the worker"
    assert "10 of 10 jobs have ended" in bare_run.messages


def _directory(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""
