"""An emulated IOS device on real SSH, for tests and demonstrations."""

import asyncio
import secrets
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import asyncssh

from sdk.testing.devices.faults import Faults
from sdk.testing.devices.ios_cli import IosCli
from sdk.testing.devices.ios_device import IosDevice
from sdk.testing.devices.ios_state import Mode, SessionState
from sdk.testing.devices.mute_server import MuteServer
from sdk.testing.devices.terminal import Terminal

LOOPBACK = "127.0.0.1"

# asyncssh offers it and paramiko does not know it, so the two find no common algorithm.
_KEX_UNKNOWN_TO_PARAMIKO = ["curve448-sha512"]


class EmulatedIos:
    """A device that speaks enough of the IOS command line for netmiko's `cisco_ios`, on 127.0.0.1 only.

    Use it as an async context manager, on the loop that shall serve it; leaving it cuts every session::

        async with EmulatedIos("admin", password) as device:
            context = device.as_context()
            port = device.port

    Sessions share one configuration; it lives as long as the object. Without `enable_secret` a login starts
    in privileged mode, with it in user mode. The output is never paged.

    Args:
        username: the only account.
        password: its password; it is kept out of every `repr` and log.
        hostname: the name in the prompt.
        port: TCP port to listen on; 0 takes a free one.
        enable_secret: what `enable` asks for.
        faults: how it shall misbehave.
    """

    def __init__(
        self,
        username: str,
        password: str,
        hostname: str = "lab1",
        *,
        port: int = 0,
        enable_secret: str | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.username = username
        self.hostname = hostname
        self.device = IosDevice(hostname, enable_secret=enable_secret)
        self.host = LOOPBACK
        self._password = password
        self._wanted_port = port
        self._faults = faults or Faults()
        self._server: asyncssh.SSHAcceptor | MuteServer | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The TCP port it listens on.

        Raises:
            RuntimeError: it is not started.
        """
        if self._server is None:
            raise RuntimeError("The emulated device does not listen yet: enter it with `async with` first.")
        return self._server.get_port()

    async def __aenter__(self) -> Self:
        if self._faults.no_banner:
            self._server = await MuteServer.listen(self.host, self._wanted_port)
        else:
            self._server = await self._listen()
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        connections = tuple(self._connections)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in connections))
        # A scripted hang does not notice that its client is gone.
        sessions = tuple(self._sessions)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        await server.wait_closed()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        options: dict[str, Any] = {}
        if self._faults.no_common_kex:
            options["kex_algs"] = _KEX_UNKNOWN_TO_PARAMIKO
        return await asyncssh.create_server(
            lambda: _Access(self._check_password, self._connections, hang=self._faults.auth_hang),
            self.host,
            self._wanted_port,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            process_factory=self._start_session,
            line_editor=False,
            # A client that sends bytes which are no UTF-8 gets a wrong character, not a broken session.
            errors="replace",
            **options,
        )

    def _check_password(self, username: str, password: str) -> bool:
        same_name = secrets.compare_digest(username.encode(), self.username.encode())
        return secrets.compare_digest(password.encode(), self._password.encode()) and same_name

    def _start_session(self, process: asyncssh.SSHServerProcess[str]) -> None:
        mode = Mode.PRIVILEGED if self.device.enable_secret is None else Mode.USER
        terminal = Terminal(process, IosCli(SessionState(self.device, mode=mode)), self._faults)
        session = asyncio.get_running_loop().create_task(terminal.serve())
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)

    def as_context(self, device_id: int = 1) -> dict[str, list[dict[str, Any]]]:
        """Return the `context` of a job on this device alone (engine contract: entities, camelCase).

        It holds the password, as the engine's own job does. An entity has no field for a TCP port: give
        `port` to the block as a parameter.
        """
        device = {
            "id": device_id,
            "hostname": self.hostname,
            "ip": self.host,
            "username": self.username,
            "password": self._password,
            "platform": {"id": 1, "name": "Cisco IOS (emulated)", "shortName": "ios", "vendor": "Cisco"},
        }
        return {"devices": [device], "deviceGroups": [], "interfaces": []}


class _Access(asyncssh.SSHServer):
    """Authentication of one connection: one account, password only."""

    def __init__(
        self,
        check_password: Callable[[str, str], bool],
        connections: set[asyncssh.SSHServerConnection],
        *,
        hang: bool,
    ) -> None:
        self._check_password = check_password
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None
        self._hang = hang

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connections.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        if self._hang:
            await asyncio.Event().wait()
        return self._check_password(username, password)
