"""An emulated IOS device on real SSH, for tests and demonstrations."""

import asyncio
import contextlib
import json
import secrets
import socket
from functools import cache
from types import TracebackType
from typing import Any, Final, Self

import asyncssh

from sdk.testing.devices.access import Access
from sdk.testing.devices.bash_cli import BashCli, BashState
from sdk.testing.devices.faults import Faults
from sdk.testing.devices.front import Front
from sdk.testing.devices.ios_cli import IosCli
from sdk.testing.devices.ios_configuration import IosConfiguration
from sdk.testing.devices.ios_confirmed_change import load
from sdk.testing.devices.ios_device import IosDevice
from sdk.testing.devices.ios_state import Mode, SessionState
from sdk.testing.devices.listener import accept_no_more, keep_port
from sdk.testing.devices.other_service import OtherService, talk_of
from sdk.testing.devices.terminal import Terminal

LOOPBACK: Final = "127.0.0.1"

# asyncssh offers it and paramiko does not know it, so they find no common algorithm.
_KEX_UNKNOWN_TO_PARAMIKO: Final = ["curve448-sha512"]
_RELOAD_SECONDS: Final = 0.5


@cache
def _usual_host_key(key_type: str) -> asyncssh.SSHKey:
    """The host key of all emulated devices of this process.

    Ports are used again. If the next device on a port had another key, it would look like a device that was replaced.
    """
    return asyncssh.generate_private_key(key_type)


class EmulatedIos:
    """A device that speaks enough of the IOS command line for netmiko's `cisco_ios`, on 127.0.0.1 only.

    Use it as an async context manager, on the loop that serves it; its end cuts every session::

        async with EmulatedIos("admin", password) as device:
            context = device.as_context()

    Sessions share one configuration, which lives as long as the object. Without `enable_secret` a login starts in
    privileged mode, with it in user mode. Long outputs are paged until `terminal length 0`.

    Args:
        username: the only account.
        password: its password; no `repr` and no log shows it.
        hostname: the name in the prompt.
        port: TCP port to listen on; 0 takes a free one.
        enable_secret: the secret that `enable` asks for.
        faults: how it misbehaves. You may set the attribute of this name while it runs.
        number: its number in its lab: its addresses and its serial number depend on it.
        authorized_key: a public key, as a line of OpenSSH has it, that may log in as any user, besides the password.
        forwards: whether it forwards connections like a jump host.
        minute_seconds: how long a minute of its timers takes (`reload in`, `configure terminal revert timer`).
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
        number: int = 1,
        minute_seconds: float = 60.0,
        authorized_key: str | None = None,
        forwards: bool = False,
    ) -> None:
        self.username = username
        self.faults = faults or Faults()
        self.host = LOOPBACK
        self.device = IosDevice(hostname, enable_secret, number, minute_seconds=minute_seconds)
        self.passwords_received = 0
        """How many passwords were sent to it, right and wrong ones."""
        self.typed: list[str] = []
        """The commands that were typed in all sessions, without the answers to its questions."""
        self._authorized_key = authorized_key
        self._forwards = forwards
        self._factory_name = hostname
        self._password = password
        self._wanted_port = port
        self._host_key: asyncssh.SSHKey | None = None
        self._server: asyncssh.SSHAcceptor | OtherService | None = None
        self._front: Front | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def hostname(self) -> str:
        """Its present name."""
        return self.device.hostname

    @property
    def port(self) -> int:
        """The TCP port on which it listens.

        Raises:
            RuntimeError: it is not started.
        """
        if self._server is None:
            raise RuntimeError("The emulated device does not listen yet: enter it with `async with` first.")
        return self._front.port if self._front is not None else self._server.get_port()

    @property
    def host_key(self) -> str:
        """The public host key in the form of OpenSSH's known hosts: type and key."""
        assert self._host_key is not None, "a device has a host key once it listens"
        return " ".join(self._host_key.export_public_key().decode().split()[:2])

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.device.call_later, self.device.reload = loop.call_later, self._begin_reload
        self.device.on_change = self._follow_management
        self._host_key = _usual_host_key(self._key_type)
        port = 0 if self.faults.need_a_front else self._wanted_port
        talk = talk_of(self.faults)
        if talk is not None:
            self._server = await OtherService.listen(talk, self.host, port)
        else:
            self._server = await self._listen(port)
        if self.faults.need_a_front:
            self._front = await Front.listen(self.host, self._wanted_port, self._server.get_port())
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
        self.device.cancel_timers()
        self.device.call_later, self.device.reload = None, lambda: None
        self.device.on_change = lambda: None
        front, self._front = self._front, None
        if front is not None:
            await front.close()
        await accept_no_more(server.sockets)
        server.close()
        await self._cut_connections()
        # A scripted hang does not notice that its client has gone.
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

    def renew_host_key(self) -> None:
        """Use another host key from the next connection on, like a device that was replaced."""
        assert isinstance(self._server, asyncssh.SSHAcceptor), "it has to be started, as an SSH service"
        self._host_key = asyncssh.generate_private_key(self._key_type)
        self._server.update(server_host_keys=[self._host_key])

    @property
    def _key_type(self) -> str:
        return "ssh-rsa" if self.faults.sha1_only else "ssh-ed25519"

    async def _listen(self, port: int, kept: socket.socket | None = None) -> asyncssh.SSHAcceptor:
        """Listen on a port, by the socket that has kept it, if one has."""
        options: dict[str, Any] = {} if kept is None else {"sock": kept}
        if self.faults.no_common_kex:
            options["kex_algs"] = _KEX_UNKNOWN_TO_PARAMIKO
        if self.faults.sha1_only:
            options |= {
                "kex_algs": ["diffie-hellman-group14-sha1"],
                "mac_algs": ["hmac-sha1"],
                "signature_algs": ["ssh-rsa"],
            }
        return await asyncssh.create_server(
            lambda: Access(
                self._check_password,
                self._connections,
                self.faults,
                self._authorized_key,
                forwards=self._forwards,
            ),
            self.host,
            port,
            server_host_keys=[self._host_key],
            # Without a factory every session is refused.
            process_factory=None if self.faults.no_channel else self._start_session,
            line_editor=False,
            # If a client sends bytes that are not UTF-8, it gets a wrong character, not a broken session.
            errors="replace",
            # The script decides how long a login may take.
            login_timeout=0,
            **options,
        )

    def _check_password(self, username: str, password: str) -> bool:
        self.passwords_received += 1
        same_name = secrets.compare_digest(username.encode(), self.username.encode())
        return secrets.compare_digest(password.encode(), self._password.encode()) and same_name

    def _start_session(self, process: asyncssh.SSHServerProcess[str]) -> None:
        user = process.get_extra_info("username") or self.username
        mode = Mode.PRIVILEGED if self.device.enable_secret is None else Mode.USER
        cli: IosCli = (
            BashCli(BashState(self.device, user=user))
            if self.faults.bash_shell
            else IosCli(SessionState(self.device, mode=mode, user=user))
        )
        self._own(Terminal(process, cli, lambda: self.faults, self._front, self._note).serve())

    def _note(self, command: str) -> None:
        self.typed.append(command)
        if command == self.faults.new_host_key_at:
            self.renew_host_key()

    def _own(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cut_connections(self) -> None:
        connections = tuple(self._connections)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in connections))

    def _begin_reload(self) -> None:
        self._own(self._reload())

    async def _reload(self) -> None:
        """Start again with the saved configuration, or with a new device's if none was saved."""
        assert isinstance(self._server, asyncssh.SSHAcceptor), "only a session can ask for it"
        port = self._server.get_port()
        await accept_no_more(self._server.sockets)
        self._server.close()
        with contextlib.ExitStack() as stack:
            # Or another program of the machine may get the port before the device has started again.
            kept = stack.enter_context(keep_port(self.host, port))
            await self._cut_connections()
            self._load_startup()
            await asyncio.sleep(_RELOAD_SECONDS)
            self._server = await self._listen(port, kept)
            stack.pop_all()

    def _load_startup(self) -> None:
        device = self.device
        device.cancel_timers()
        if device.startup_config is None:
            device.configuration = IosConfiguration.factory(self._factory_name, device.number)
            device.note_change("reload")
        else:
            load(device, device.startup_config, "reload")
        device.is_touched = False

    def _follow_management(self) -> None:
        """Be unreachable while the management interface is shut down, if the script names one."""
        interface = self.device.interfaces.get(self.faults.management_interface or "")
        if self._front is not None and interface is not None:
            if interface.enabled:
                self._front.resume()
            else:
                self._front.go_silent()

    def as_context(self, device_id: int = 1) -> dict[str, list[dict[str, Any]]]:
        """Return the `context` of a job on this device alone (engine contract: entities, camelCase).

        It holds the password, like the engine's own jobs. When the device listens, its TCP port is in the connection
        options, which are JSON in a text: `{"port": 2222}`. The enable secret is not in the context.
        """
        device: dict[str, Any] = {
            "id": device_id,
            "hostname": self.hostname,
            "ip": self.host,
            "username": self.username,
            "password": self._password,
            "platform": {"id": 1, "name": "Cisco IOS (emulated)", "shortName": "ios", "vendor": "Cisco"},
        }
        if self._server is not None:
            device["connectionOptions"] = json.dumps({"port": self.port})
        return {"devices": [device], "deviceGroups": [], "interfaces": []}
