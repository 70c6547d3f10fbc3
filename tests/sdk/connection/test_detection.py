"""One login tells which platform answers, and nothing of it is left."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import pytest

from sdk.connection import Detection, Login, detect_platform
from sdk.connection.errors import WrongPasswordError
from sdk.testing.devices import EmulatedIos, Faults
from sdk.testing.frr_lab import FrrDevice
from tests.patience import PATIENCE_SECONDS

PASSWORD = "never-to-be-seen-1"
_PROMPT = "admin@host:~$ "


async def detect(login: Login) -> tuple[Detection, list[str]]:
    """Return what was found, and what was sent."""
    lines: list[str] = []
    found = await detect_platform(
        login, login_seconds=PATIENCE_SECONDS, timeout=PATIENCE_SECONDS, session_log=lines.append
    )
    return found, [line.partition(" > ")[2].strip() for line in lines if " > " in line]


class _Counter(asyncssh.SSHServer):
    connections = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        type(self).connections += 1

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == PASSWORD


@asynccontextmanager
async def plain_linux() -> AsyncIterator[Login]:
    """Have the bash of this machine run each line: no emulation of a shell says what a real one does."""

    async def serve(process: asyncssh.SSHServerProcess[str]) -> None:
        process.stdout.write(_PROMPT)
        async for line in process.stdin:
            bash = await asyncio.create_subprocess_exec(
                *("bash", "-c", line.strip()),
                env={"PATH": "/usr/bin:/bin", "HOME": "/"},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await bash.communicate()
            process.stdout.write(output.decode() + _PROMPT)
        process.exit(0)

    server = await asyncssh.create_server(
        _Counter,
        "127.0.0.1",
        0,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=serve,
    )
    async with server:
        yield Login("127.0.0.1", "admin", server.get_port(), PASSWORD)


@pytest.mark.parametrize("secret", [None, "an enable secret"])
async def test_ios_is_told_in_privileged_and_in_user_mode(secret: str | None) -> None:
    async with EmulatedIos("admin", PASSWORD, enable_secret=secret) as device:
        found, sent = await detect(Login(device.host, "admin", device.port, PASSWORD))

    assert (found.platform, found.vendor, found.has_shell) == ("ios", "Cisco", False)
    assert [line for line in sent if line] == ["terminal length 0", "show version"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
async def test_a_real_shell_without_frr_is_linux_in_one_login() -> None:
    _Counter.connections = 0
    async with plain_linux() as login:
        found, sent = await detect(login)

    assert (found.platform, found.has_shell, found.evidence) == ("linux", True, "Linux")
    assert _Counter.connections == 1
    assert len([line for line in sent if line]) == 2


async def test_a_device_that_says_nothing_known_is_of_no_platform() -> None:
    faults = Faults(outputs={"show version": "A thing by ACME\n"})
    async with EmulatedIos("admin", PASSWORD, faults=faults) as device:
        found, _ = await detect(Login(device.host, "admin", device.port, PASSWORD))

    assert found == Detection(None, None, None, False, "A thing by ACME")


async def test_a_login_that_is_refused_is_an_error_and_no_unknown_platform() -> None:
    async with EmulatedIos("admin", PASSWORD) as device:
        with pytest.raises(WrongPasswordError):
            await detect(Login(device.host, "admin", device.port, "another"))


@pytest.mark.needs("frr lab")
async def test_frr_is_told_behind_both_login_shells(simple_frr: list[FrrDevice]) -> None:
    device = simple_frr[0]
    for each, has_shell in ((device, True), (device.vtysh, False)):
        found, _ = await detect(Login(each.host, each.username, each.port, each.password))
        assert (found.platform, found.vendor, found.has_shell) == ("frr", "FRRouting", has_shell)
