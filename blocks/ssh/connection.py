"""A netmiko connection that another thread can end, and that notices when the device has gone.

Everything here blocks; `Session` runs it in a thread.
"""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from netmiko import ConnectHandler
from netmiko.base_connection import BaseConnection


@dataclass(frozen=True, slots=True)
class Login:
    """Where and how to log in. The password stays out of every `repr`."""

    host: str
    port: int
    device_type: str
    username: str
    password: str = field(repr=False)

    @property
    def where(self) -> str:
        """The device as messages name it."""
        return f"{self.host} port {self.port}"


class AbortableConnection:
    """One login over a TCP connection that is already made.

    Closing a connection does not wake netmiko: its loops read "nothing yet" until their own time-out, up to a
    minute later. So its read is wrapped: once the connection has ended, from either side, it raises.
    """

    def __init__(self, login: Login, sock: socket.socket, timeout_seconds: float) -> None:
        self._socket = sock
        self._netmiko: BaseConnection = ConnectHandler(
            device_type=login.device_type,
            host=login.host,
            port=login.port,
            username=login.username,
            password=login.password,
            sock=sock,
            # The caller's limit is the one that counts; these only have to be no shorter.
            conn_timeout=timeout_seconds,
            auth_timeout=timeout_seconds,
            banner_timeout=timeout_seconds,
            auto_connect=False,
        )
        self._notice_the_end()

    def _notice_the_end(self) -> None:
        read = self._netmiko.read_channel

        def read_channel() -> str:
            text = read()
            if not text and getattr(self._netmiko.remote_conn, "closed", False):
                raise EOFError
            return text

        _replace(self._netmiko, read_channel=read_channel)

    def open(self) -> None:
        """Log in and wait for the prompt; raises whatever netmiko raises."""
        # A failed login is not said good-bye to: `cleanup` would wait ten seconds for an answer.
        _replace(self._netmiko, cleanup=lambda command="": None)
        # The private method is what the constructor calls. Done apart from it, there is an object to abort.
        self._netmiko._open()
        del self._netmiko.__dict__["cleanup"]

    def send(self, command: str, read_timeout_seconds: float) -> str:
        """Send one command and return its output without echo and prompt; raises whatever netmiko raises."""
        return str(self._netmiko.send_command(command, read_timeout=read_timeout_seconds))

    def log_out(self) -> None:
        """Say good-bye to the device and close the connection."""
        self._netmiko.disconnect()

    def stage(self) -> str:
        """Return what the device has to do next for a complete login, to name it after a time-out."""
        client = getattr(self._netmiko, "remote_conn_pre", None)
        transport = client.get_transport() if client is not None else None
        if transport is None or not transport.initial_kex_done:
            return "complete the SSH handshake"
        return "show a prompt" if transport.is_authenticated() else "answer the login"

    def abort(self) -> None:
        """Make the thread that uses this connection fail within moments. Does not block; from any thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Close without a word to the device. May be called more than once."""
        client = getattr(self._netmiko, "remote_conn_pre", None)
        if client is not None:
            client.close()
        _replace(self._netmiko, cleanup=lambda command="": None)
        self._netmiko.disconnect()
        self._socket.close()


def _replace(netmiko: BaseConnection, **methods: Callable[..., Any]) -> None:
    """Put functions in front of an object's methods: its class comes from netmiko's table of drivers."""
    for name, function in methods.items():
        setattr(netmiko, name, function)
