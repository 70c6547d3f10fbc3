"""A command that is ended before its time: nobody takes that for a good answer, and half of what it writes is gone."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.commands.backup import HOST_KEYS
from tests.patience import PATIENCE_SECONDS, wait_until

HANGS = """import pathlib, time
import sdk
pathlib.Path(__file__).with_name("mark").touch()
time.sleep(600)
class Base(sdk.FunctionBlock): ...
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["blocks", "check", "doctor", "run-block"])
def test_a_command_that_is_ended_before_its_answer_fails(
    tmp_path: Path, command: str, number: signal.Signals
) -> None:
    module = tmp_path / "hangs.py"
    module.write_text(HANGS)
    named = {"check": [str(module)], "run-block": ["echo", "--function-blocks", str(module)]}
    arguments = named.get(command, ["--function-blocks", str(module)])
    with subprocess.Popen(
        [sys.executable, "-m", "supervisor", command, *arguments, "--import-seconds", "600"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until((tmp_path / "mark").exists)
        process.send_signal(number)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, output) == (128 + number, "")
    assert errors == f"supervisor {command}: ended by {number.name}.\n"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state of `supervisor local` whose host keys are a pipe to which nobody writes: who copies it waits there."""
    directory = tmp_path / "state"
    (directory / "worker").mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(directory / "engine.sqlite3")) as database:
        database.execute("CREATE TABLE jobs (parameters)")
    os.mkfifo(directory / "worker" / HOST_KEYS)
    return directory


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("begun", "arguments"),
    [(".copy.*", ["backup", "copy"]), ("bundle.tar.gz", ["support-bundle", "--output", "bundle.tar.gz"])],
)
def test_a_command_that_is_ended_while_it_writes_leaves_nothing_also_by_a_terminal_that_is_closed(
    state: Path, begun: str, arguments: list[str], number: signal.Signals
) -> None:
    process = subprocess.Popen(
        # Whoever runs the tests may have it ignored.
        [
            *("env", "--default-signal=HUP"),
            *(sys.executable, "-m", "supervisor", *arguments, "--state-dir", str(state)),
        ],
        cwd=state.parent,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: any(state.parent.glob(begun)), "it has begun to write")
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 128 + number
    finally:
        process.kill()
        process.wait()
    assert os.listdir(state.parent) == ["state"]
