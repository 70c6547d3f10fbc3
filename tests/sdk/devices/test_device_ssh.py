"""The emulated device over real SSH: a healthy session with netmiko, and each scripted fault."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncssh
import pytest
from netmiko import ConnectHandler, NetmikoTimeoutException
from netmiko.base_connection import BaseConnection

from sdk import WorkflowContext
from sdk.testing.devices import EmulatedIos, Faults
from sdk.testing.devices.ios_cli import IosCli
from tests.patience import PATIENCE_SECONDS

PASSWORD = "lab-password-1"
FAULT_SECONDS = 0.5


def netmiko_session(device: EmulatedIos, **settings: Any) -> BaseConnection:
    return ConnectHandler(
        device_type="cisco_ios",
        host=device.host,
        port=device.port,
        username="admin",
        password=PASSWORD,
        **settings,
    )


def ssh_client(device: EmulatedIos, username: str = "admin", password: str = PASSWORD) -> Any:
    return asyncssh.connect(
        device.host,
        device.port,
        username=username,
        password=password,
        known_hosts=None,
        client_keys=None,
        config=None,
    )


@contextlib.asynccontextmanager
async def shell_with(faults: Faults) -> AsyncIterator[asyncssh.SSHClientProcess[str]]:
    """Yield a shell on a device with these faults; its connection is cut at the end."""
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device:
        client = await ssh_client(device)
        yield await client.create_process(term_type="vt100")
        client.abort()
        await client.wait_closed()


async def read_until_end(shell: asyncssh.SSHClientProcess[str]) -> tuple[str, Exception | None]:
    """Return what the shell prints until it ends, and the error that ended it."""
    received = ""
    try:
        while text := await asyncio.wait_for(shell.stdout.read(1000), timeout=PATIENCE_SECONDS):
            received += text
    except asyncssh.Error as error:
        return received, error
    return received, None


async def test_netmiko_shows_configures_and_saves() -> None:
    def work(device: EmulatedIos) -> tuple[str, str, str, str]:
        with netmiko_session(device) as session:
            version = str(session.send_command("show version"))
            session.send_config_set(["hostname renamed", "interface gi0/1", "description by netmiko"])
            session.set_base_prompt()
            saved = session.save_config()
            startup = str(session.send_command("show startup-config"))
            return version, session.find_prompt(), saved, startup

    async with EmulatedIos("admin", PASSWORD, "r1") as device:
        version, prompt, saved, startup = await asyncio.to_thread(work, device)
    assert "r1 uptime is" in version
    assert prompt == "renamed#"
    assert "[OK]" in saved
    assert "hostname renamed" in startup
    assert "description by netmiko" in startup


async def test_netmiko_enables_with_the_secret() -> None:
    def work(device: EmulatedIos) -> tuple[str, str]:
        with netmiko_session(device, secret="enable-it") as session:
            before = session.find_prompt()
            session.enable()
            return before, session.find_prompt()

    async with EmulatedIos("admin", PASSWORD, enable_secret="enable-it") as device:
        assert await asyncio.to_thread(work, device) == ("lab1>", "lab1#")


async def test_a_single_command_can_be_run_without_a_shell() -> None:
    async with EmulatedIos("admin", PASSWORD) as device, ssh_client(device) as client:
        answer = await client.run("show ip interface brief")
    assert answer.exit_status == 0
    assert "GigabitEthernet0/0" in answer.stdout


@pytest.mark.parametrize(("username", "password"), [("admin", "wrong"), ("root", PASSWORD), ("admin", "")])
async def test_only_the_one_account_may_log_in(username: str, password: str) -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        with pytest.raises(asyncssh.PermissionDenied):
            await ssh_client(device, username, password)


async def test_its_context_is_one_that_a_job_can_have() -> None:
    async with EmulatedIos("admin", PASSWORD, "r7") as device:
        context = WorkflowContext.from_job(device.as_context(device_id=7), "device", 7)
    assert context.device is not None
    assert context.device.platform is not None
    assert (context.device.hostname, context.device.ip) == ("r7", "127.0.0.1")
    assert (context.device.username, context.device.password) == ("admin", PASSWORD)
    assert context.device.platform.short_name == "ios"


async def test_it_listens_on_loopback_only_and_not_after_its_end() -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        host, port = device.host, device.port
    assert host == "127.0.0.1"
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(host, port)
    with pytest.raises(RuntimeError, match="async with"):
        _ = device.port


async def test_leaving_it_ends_open_sessions_and_their_tasks() -> None:
    before = asyncio.all_tasks()
    async with EmulatedIos("admin", PASSWORD, faults=Faults(command_hang="show clock")) as device:
        client = await ssh_client(device)
        shell = await client.create_process(term_type="vt100")
        shell.stdin.write("show clock\n")
        await shell.stdout.readuntil("show clock")
    await asyncio.wait_for(client.wait_closed(), timeout=PATIENCE_SECONDS)
    assert asyncio.all_tasks() - before == set()


async def test_a_fault_of_the_emulator_ends_the_session_and_leaves_no_client_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> str:
        raise LookupError("not the client's mistake")

    monkeypatch.setattr(IosCli, "execute", broken)
    async with shell_with(Faults()) as shell:
        shell.stdin.write("show clock\n")
        received, error = await read_until_end(shell)
    assert ("show clock" in received, error) == (True, None)


async def test_a_client_that_sends_no_utf_8_keeps_its_session() -> None:
    async with EmulatedIos("admin", PASSWORD) as device, ssh_client(device) as client:
        shell = await client.create_process(term_type="vt100", encoding=None)
        shell.stdin.write(b"\xff\xfe\x15show clock\n")
        assert b"UTC" in await asyncio.wait_for(shell.stdout.readuntil(b"UTC"), timeout=PATIENCE_SECONDS)


async def test_fault_no_banner_accepts_and_never_speaks() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(no_banner=True)) as device:
        reader, writer = await asyncio.open_connection(device.host, device.port)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), FAULT_SECONDS)
        writer.close()
        await writer.wait_closed()


async def test_fault_no_common_kex_fails_the_negotiation_of_paramiko() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(no_common_kex=True)) as device:
        with pytest.raises(NetmikoTimeoutException, match="Incompatible ssh peer"):
            await asyncio.to_thread(netmiko_session, device)


async def test_fault_auth_hang_never_answers_the_password() -> None:
    async with EmulatedIos("admin", PASSWORD, faults=Faults(auth_hang=True)) as device:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ssh_client(device), FAULT_SECONDS)


async def test_fault_no_prompt_opens_a_mute_shell() -> None:
    async with shell_with(Faults(no_prompt=True)) as shell:
        shell.stdin.write("\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(shell.stdout.read(1), FAULT_SECONDS)


async def test_fault_command_hang_stops_at_that_command_only() -> None:
    async with shell_with(Faults(command_hang="show clock")) as shell:
        shell.stdin.write("show version\nshow  clock\n")
        await asyncio.wait_for(shell.stdout.readuntil("show  clock\r\n"), timeout=PATIENCE_SECONDS)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(shell.stdout.read(1), FAULT_SECONDS)


async def test_fault_drop_mid_command_sends_half_of_the_output_and_cuts_the_connection() -> None:
    async with shell_with(Faults(drop_mid_command="show version")) as shell:
        shell.stdin.write("show version\n")
        received, error = await read_until_end(shell)
    assert isinstance(error, asyncssh.ConnectionLost)
    assert "Emulated IOS Software" in received
    assert "Configuration register" not in received


async def test_fault_endless_output_goes_on() -> None:
    async with shell_with(Faults(endless_output="show clock")) as shell:
        shell.stdin.write("show clock\n")
        await asyncio.wait_for(shell.stdout.readuntil("line 20 "), timeout=PATIENCE_SECONDS)
