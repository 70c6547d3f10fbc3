"""A command that is ended before it has given its answer: nobody may take that for a good one."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
