"""A device behind a jump host: an SSH connection to the jump host, and through it a connection to the device."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from paramiko.ssh_exception import (  # type: ignore[import-untyped]  # ships no types
    ChannelException,
    SSHException,
)

from sdk.connection.causes import Cause
from sdk.connection.credentials import private_key_of
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail
from sdk.connection.login import Login
from sdk.connection.ssh import SshClient
from sdk.connection.tcp import connect_tcp

if TYPE_CHECKING:
    import paramiko  # type: ignore[import-untyped]  # ships no types

    from sdk.connection.host_keys import HostKeyCheck

_PROHIBITED: Final = 1
"""The answer of a jump host that forwards nothing (RFC 4254, section 5.1); 2 means that it could not connect."""

_SHORTEST_SECONDS: Final = 0.001


class JumpSocket:
    """The connection to the device, as a socket. When it ends, the connection to the jump host ends, too."""

    def __init__(self, channel: paramiko.Channel, client: SshClient, outer: socket.socket) -> None:
        self._channel = channel
        self._client = client
        self._outer = outer

    def recv(self, count: int) -> bytes:
        """Read like a socket."""
        data: bytes = self._channel.recv(count)
        return data

    def send(self, data: bytes) -> int:
        """Write like a socket."""
        return int(self._channel.send(data))

    def settimeout(self, seconds: float | None) -> None:
        """Limit reads and writes like a socket."""
        self._channel.settimeout(seconds)

    def shutdown(self, how: int) -> None:
        """End both connections: all reads and writes fail within moments. From any thread; does not block."""
        # Not by a message in the channel: that would wait for a jump host that accepts nothing any more.
        with contextlib.suppress(OSError):
            self._outer.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End both connections and release them."""
        self.shutdown(socket.SHUT_RDWR)
        self._client.close()


def open_jump(
    login: Login,
    *,
    deadline: Deadline,
    host_keys: HostKeyCheck,
    opened: Callable[[socket.socket], None] = lambda outer: None,
) -> JumpSocket:
    """Connect to the device of `login` through its jump host. The host key of the jump host is checked first.

    `opened` gets the TCP connection to the jump host; a shutdown of that connection ends this.
    Raises `DeviceError`. It names the jump host if something is wrong there, and the device if the jump host reports
    an error about the device.
    """
    jump = login.jump_login
    key = private_key_of(jump)
    outer = connect_tcp(jump.host, jump.port, deadline=deadline, where=jump.where, opened=opened)
    client = SshClient(jump, outer, deadline=deadline, host_keys=host_keys, key=key)
    try:
        _log_in(jump, client, deadline)
        return JumpSocket(_channel(login, client, deadline), client, outer)
    except BaseException:
        with contextlib.suppress(OSError):
            outer.shutdown(socket.SHUT_RDWR)
        client.close()
        outer.close()
        raise


def _log_in(jump: Login, client: SshClient, deadline: Deadline) -> None:
    try:
        client.connect(username=jump.username)
    except (SSHException, EOFError, OSError):
        if deadline.has_passed:
            raise fail(Cause.LOGIN_TIMEOUT, jump.where, seconds=deadline.seconds) from None
        raise fail(Cause.CONNECTION_LOST, jump.where, what="the login") from None


def _channel(login: Login, client: SshClient, deadline: Deadline) -> paramiko.Channel:
    transport = client.get_transport()
    assert transport is not None, "connected before"
    target, source = (login.host, login.port), ("127.0.0.1", 0)
    try:
        return transport.open_channel(
            "direct-tcpip", target, source, timeout=max(deadline.left_seconds, _SHORTEST_SECONDS)
        )
    except ChannelException as error:
        raise _refused(login, error) from None
    except (SSHException, EOFError, OSError):
        if deadline.has_passed:
            raise fail(Cause.CONNECT_TIMEOUT, login.where, seconds=deadline.seconds) from None
        where = login.jump_login.where
        raise fail(Cause.CONNECTION_LOST, where, what=f"the connection to {login.where}") from None


def _refused(login: Login, error: ChannelException) -> DeviceError:
    jump = login.jump_login
    name = f"{jump.host} port {jump.port}"
    if error.code == _PROHIBITED:
        return fail(Cause.JUMP_HOST_FORBIDS, login.where, secrets=login.secrets, jump=name)
    detail = f"the jump host {name} says {error.text!r}"
    return fail(Cause.UNREACHABLE, login.where, secrets=login.secrets, detail=detail)
