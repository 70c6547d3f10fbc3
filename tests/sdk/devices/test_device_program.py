"""`python -m sdk.testing.devices`, and the message when asyncssh is not installed."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator

import asyncssh
import pytest

from tests.patience import PATIENCE_SECONDS

PASSWORD = "typed-not-shown"
COMMAND = [sys.executable, "-m", "sdk.testing.devices", "--username", "admin"]


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.fixture
async def program() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await start("--hostname", "r1")
    yield process
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def listening_port(process: asyncio.subprocess.Process) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{PASSWORD}\n".encode())
    line = (await asyncio.wait_for(process.stdout.readline(), timeout=PATIENCE_SECONDS)).decode()
    before, _, port = line.strip().rpartition(":")
    assert before == "emulated IOS listening on 127.0.0.1"
    return int(port)


async def test_it_says_where_it_listens_and_lets_the_account_in(program: asyncio.subprocess.Process) -> None:
    port = await listening_port(program)
    async with asyncssh.connect(
        "127.0.0.1",
        port,
        username="admin",
        password=PASSWORD,
        known_hosts=None,
        client_keys=None,
        config=None,
    ) as client:
        answer = await client.run("show version")
    assert "r1 uptime is" in str(answer.stdout)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_good_order(
    program: asyncio.subprocess.Process, number: signal.Signals
) -> None:
    await listening_port(program)
    program.send_signal(number)
    _, errors = await asyncio.wait_for(program.communicate(), timeout=PATIENCE_SECONDS)
    assert (program.returncode, errors) == (0, b"")


async def test_the_password_is_on_no_command_line(program: asyncio.subprocess.Process) -> None:
    await listening_port(program)
    with open(f"/proc/{program.pid}/cmdline", "rb") as command_line:
        assert PASSWORD.encode() not in command_line.read()


async def test_without_a_password_it_says_so_and_ends(program: asyncio.subprocess.Process) -> None:
    _, errors = await asyncio.wait_for(program.communicate(b""), timeout=PATIENCE_SECONDS)
    assert program.returncode == 2
    assert b"No password on the standard input" in errors


async def test_a_port_that_is_taken_is_named(program: asyncio.subprocess.Process) -> None:
    port = await listening_port(program)
    second = await start("--port", str(port))
    _, errors = await asyncio.wait_for(second.communicate(f"{PASSWORD}\n".encode()), timeout=PATIENCE_SECONDS)
    assert second.returncode == 1
    assert f"Can't listen on 127.0.0.1:{port}" in errors.decode()


async def test_without_asyncssh_the_error_names_the_extra_to_install() -> None:
    source = """
import sys
sys.modules["asyncssh"] = None  # what Python does for a module that must not be found
from sdk import SdkError
try:
    import sdk.testing.devices
except ImportError as error:
    print(isinstance(error, SdkError), error.name, error)
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), timeout=PATIENCE_SECONDS)
    assert output.decode().startswith("True asyncssh ")
    assert "pip install 'neops-supervisor[emulator]'" in output.decode()
