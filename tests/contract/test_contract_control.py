"""A real worker is asked by the commands that people type."""

import asyncio
import json
import sys

import pytest
from contract_support import Setup

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def ask(setup: Setup, *words: str) -> tuple[int, str, str]:
    """Run `supervisor WORDS` against the worker of this set-up; return exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "supervisor",
        *words,
        "--state-dir",
        str(setup.worker.state_dir),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return process.returncode, stdout.decode(), stderr.decode()


async def test_a_ready_worker_says_so_and_the_command_exits_with_0(setup: Setup) -> None:
    code, stdout, stderr = await ask(setup, "status", "--json")
    assert (code, stderr) == (0, "")
    status = json.loads(stdout)
    assert (status["ready"], status["why_not"], status["slots"]) == (True, [], 2)
    assert status["pid"] == setup.worker.supervisor_pid
