"""What the page of features says is true: each *yes* has a command that works and a test that pytest runs."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs_pages import ROOT
from feature_table import Feature, features, problems, text

from sdk.devengine import EngineOptions
from sdk.testing import EngineThread, SupervisorProcess
from supervisor.cli import main
from supervisor.commands.demo.scenario import jobs
from tests.patience import wait_until

FEWEST_YES = 50
ROWS = [row for section in features(text()) for row in section]
YES = [row for row in ROWS if row.here == "yes"]

SHOWS: dict[str, tuple[int, str]] = {
    "supervisor status": (0, r"^ready"),
    "supervisor jobs": (0, r"neops_testing/hang_await"),
    "supervisor job JOB": (0, r"neops_testing/hang_await"),
    "supervisor logs JOB": (0, ""),
    "supervisor top --once": (0, r"hang_await"),
    "supervisor stack JOB": (0, r"hangs\.py"),
    "supervisor support-bundle JOB": (0, r"\.tar"),
    "supervisor config": (0, r"function_blocks"),
    "supervisor pause": (0, r"^paused"),
    "supervisor resume": (0, r"^resumed"),
    "supervisor reload": (0, r"^reloaded"),
    "supervisor drain": (0, r"1 job"),
    "supervisor cancel JOB": (0, r"^cancelled"),
    "supervisor drain --wait": (0, r"drained"),
    "supervisor deploy unit": (0, r"WatchdogSec=\d+"),
    "supervisor journal list": (0, r'"claims": \['),
}
"""What is typed beside a worker that runs a job, in this order: the exit code, and what must be in the output."""

RUN_BY_OTHERS = {
    "systemctl status neops-supervisor": "tests/programs/systemd/test_systemd_quick.py",
    "supervisor demo": "tests/docs/test_docs_readme.py::test_the_demo_prints_what_is_shown",
    "supervisor demo --json": "tests/docs/test_docs_readme.py::test_the_demo_prints_what_is_shown",
    "supervisor dev --function-blocks my_blocks": "tests/supervisor/commands/test_dev.py",
    "supervisor blocks": "tests/supervisor/commands/test_blocks_command.py",
    "supervisor doctor": "tests/supervisor/commands/doctor/test_doctor.py",
    "supervisor run-block neops_base/echo": "tests/supervisor/commands/test_run_block.py",
}
"""Commands that take long, and the test that runs them. Their flags, and those of the daemon with a setting, are
held by `test_docs_commands.py`."""


def is_the_daemon(command: str) -> bool:
    """Whether it is the daemon with a setting, which is no command of its own."""
    return command.startswith("supervisor --") and command not in SHOWS


COMMANDS = sorted({command for row in ROWS for command in row.commands})


def test_the_page_is_whole_and_each_yes_has_what_shows_it_and_a_test_that_holds_it() -> None:
    assert list(problems(text())) == []


def test_as_many_features_are_there_as_were_promised() -> None:
    assert len(YES) >= FEWEST_YES


@pytest.mark.parametrize("row", YES, ids=lambda row: str(row.number))
def test_a_row_that_loses_its_test_or_its_command_is_found(row: Feature) -> None:
    page = text()
    line = next(line for line in page.splitlines() if line.startswith(f"| {row.number} |"))
    without_test = line.replace(row.held_by, "")
    without_command = line.replace(row.shown_by, "")
    renamed = line.replace(row.tests[0], row.tests[0] + "_no_more")
    for changed in (without_test, without_command, renamed):
        assert any(each.startswith(f"{row.number}: ") for each in problems(page.replace(line, changed)))
    assert list(problems(page.replace(f"{line}\n", ""))) != []


def test_pytest_collects_the_files_of_the_tests_that_are_named(pytestconfig: pytest.Config) -> None:
    assert "tests" in pytestconfig.getini("testpaths")
    assert "test_*.py" in pytestconfig.getini("python_files")
    left_out = [
        path for path in (ROOT / "tests").rglob("conftest.py") if "collect_ignore" in path.read_text()
    ]
    assert left_out == []


def test_each_command_is_run_here_or_by_a_test_that_is_named() -> None:
    known = [*SHOWS, *RUN_BY_OTHERS]
    assert [each for each in COMMANDS if each not in known and not is_the_daemon(each)] == []
    assert [each for each in known if each not in COMMANDS] == []
    assert [each for each in RUN_BY_OTHERS.values() if not (ROOT / each.partition("::")[0]).is_file()] == []


def test_the_jobs_of_the_demo_that_are_named_are_in_it() -> None:
    names = {job.name for job in jobs("mark", None)}
    named = [
        job
        for row in YES
        if any(command.startswith("supervisor demo") for command in row.commands)
        for job in re.findall(r"\(`(\w+)`", row.shown_by)
    ]
    assert len(named) > 5
    assert set(named) <= names


@pytest.fixture
def job_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Have a worker that runs a job, stand where its operator types, and return the job's id."""
    for name in [name for name in os.environ if name.startswith("NEOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEOPS_STATE_DIR", str(tmp_path / "worker" / "state"))
    settings = {"function_blocks": "blocks.testing", "grace_seconds": 1}
    with (
        EngineThread(EngineOptions(without_token=True, database=":memory:")) as engine,
        SupervisorProcess(engine.url, tmp_path / "worker", settings) as worker,
    ):
        job = engine.submit(block="neops_testing/hang_await:1.0.0")
        wait_until(lambda: f"job={job}" in worker.log, lambda: worker.log)
        yield job


def test_each_command_shows_what_it_is_named_for(job_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one test, in their order, and in this process: a worker is started once, and no interpreter."""
    # That it has its child is logged when its order is written: a moment later the child has read it, and begins.
    wait_until(lambda: re.search(SHOWS["supervisor stack JOB"][1], said_by(f"stack {job_id}", capsys)[1].out))
    for command, (code, wanted) in SHOWS.items():
        ended_with, said = said_by(command.replace("JOB", job_id).removeprefix("supervisor "), capsys)
        assert (ended_with, bool(re.search(wanted, said.out))) == (code, True), f"{command}: {said}"


def said_by(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    """Return the exit code of a command, and what it has printed."""
    try:
        ended_with = main(shlex.split(command))
    except SystemExit as end:
        ended_with = end.code if isinstance(end.code, int) else 1
    return ended_with, capsys.readouterr()
