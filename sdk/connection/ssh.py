"""The SSH connection below a session: paramiko, with one error for each cause, and only the caller's time-outs.

Everything here blocks. `abort` of the session ends it from another thread: paramiko looks at its socket ten times a
second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import paramiko  # type: ignore[import-untyped]  # ships no types
from paramiko.common import MSG_SERVICE_REQUEST  # type: ignore[import-untyped]  # ships no types
from paramiko.ssh_exception import (  # type: ignore[import-untyped]  # ships no types
    ChannelException,
    IncompatiblePeer,
    SSHException,
)

from sdk.connection.auth_handler import AuthHandler
from sdk.connection.authentication import Authentication
from sdk.connection.banner import ListeningSocket, cause_without_banner, says_full
from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import DeviceError, fail
from sdk.connection.host_keys import HostKeyCheck
from sdk.connection.login import Login

_LOOK_SECONDS: Final = 0.1
_LONG_SECONDS: Final = 86_400.0
"""For time-outs of paramiko that must not come before the caller's time-out."""


class QuietTransport(paramiko.ServiceRequestingTransport):  # type: ignore[misc]  # ships no types
    """paramiko's connection. Its log has the level debug, because our error says what went wrong.

    It asks for the login service only once, even if it tries several login methods one after another: some devices end
    the connection if they are asked again.
    """

    # Ciphers without a separate checksum come first: paramiko compares checksums byte by byte, in Python. With many
    # small packets that is a sixth of a session's work.
    _preferred_ciphers = (
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        *("aes128-ctr", "aes192-ctr", "aes256-ctr"),
        *("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"),  # for old devices
    )
    last_words = ""
    """The words with which the other side has ended the connection."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self._accepted = threading.Event()
        super().__init__(*args, **more)

    def _log(self, level: int, msg: object, *args: object) -> None:
        if "Disconnect (code" in str(msg):
            self.last_words = str(msg).partition("): ")[2]
        super()._log(logging.DEBUG, msg, *args)

    def _parse_service_accept(self, message: Any) -> None:
        super()._parse_service_accept(message)
        self._accepted.set()

    def get_auth_handler(self) -> AuthHandler:
        """Return the object that asks for a login."""
        return AuthHandler(self)

    def ensure_session(self) -> None:
        """Ask for the login service. Unlike paramiko's method, it does not wait for ever after the connection's end."""
        if self._accepted.is_set():
            return
        request = paramiko.Message()
        request.add_byte(bytes([MSG_SERVICE_REQUEST]))
        request.add_string("ssh-userauth")
        self._send_message(request)
        end = time.monotonic() + self.auth_timeout
        while not self._accepted.wait(_LOOK_SECONDS):
            if not self.is_active():
                raise self.get_exception() or EOFError
            if time.monotonic() > end:
                raise paramiko.AuthenticationException("Authentication timeout.")
        self.auth_handler = self.get_auth_handler()


class SshClient:
    """Replaces paramiko's `SSHClient` in netmiko's objects.

    Args:
        login: where and how to log in.
        sock: a connected socket.
        deadline: for the whole login.
        host_keys: decides whether the device is the right one, before anything secret is sent.
        key: the private key of the login.
        without_authentication: the device asks for the password in the session.
    """

    def __init__(
        self,
        login: Login,
        sock: Any,
        *,
        deadline: Deadline,
        host_keys: HostKeyCheck,
        key: paramiko.PKey | None = None,
        without_authentication: bool = False,
        tell_stage: Callable[[Cause], None] = lambda cause: None,
    ) -> None:
        self._login = login
        self._listening = ListeningSocket(sock)
        self._deadline = deadline
        self._host_keys = host_keys
        self._key = key
        self._without_authentication = without_authentication
        self._tell_stage = tell_stage
        self._transport: QuietTransport | None = None

    def connect(self, *, username: str, disabled_algorithms: Any = None, **_unused: Any) -> None:
        """Make the connection and log in. netmiko calls this, with more arguments than needed."""
        self._tell_stage(Cause.NO_BANNER)
        transport = QuietTransport(self._listening, disabled_algorithms=disabled_algorithms)
        self._transport = transport
        transport.banner_timeout = transport.handshake_timeout = _LONG_SECONDS
        transport.clear_to_send_timeout = transport.channel_timeout = _LONG_SECONDS
        transport.auth_timeout = _LONG_SECONDS
        self._host_keys.prefer(self._login, transport)
        self._exchange_keys(transport)
        self._host_keys.check(self._login, transport.get_remote_server_key())
        self._tell_stage(Cause.LOGIN_TIMEOUT)
        transport.auth_timeout = self._deadline.left_seconds
        authentication = Authentication(transport, self._login, username, self._deadline)
        authentication.run(self._key, without=self._without_authentication)

    def _exchange_keys(self, transport: QuietTransport) -> None:
        done = threading.Event()
        transport.start_client(event=done)
        while not done.wait(min(_LOOK_SECONDS, self._deadline.left_seconds)):
            if self._listening.is_ssh:
                self._tell_stage(Cause.NO_KEY_EXCHANGE)
            if self._deadline.has_passed or not transport.is_active():
                break
        if not done.is_set() and self._deadline.has_passed:
            raise self._too_late()
        if not transport.is_active():
            raise self._no_connection(transport)

    def _too_late(self) -> DeviceError:
        seconds = self._deadline.seconds
        if self._listening.is_ssh:
            return self._fail(Cause.NO_KEY_EXCHANGE, seconds=seconds)
        cause, looks = cause_without_banner(self._listening.first_bytes, has_ended=False)
        return self._fail(cause, detail=looks, seconds=seconds, last_line=self._listening.last_line)

    def _no_connection(self, transport: QuietTransport) -> DeviceError:
        error = transport.get_exception()
        if isinstance(error, IncompatiblePeer):
            return self._fail(Cause.NO_COMMON_ALGORITHM)
        if self._listening.is_ssh:
            if says_full(transport.last_words):
                return self._fail(
                    Cause.SESSION_LIMIT, detail="it refuses the connection", last_line=transport.last_words
                )
            return self._fail(
                Cause.CONNECTION_LOST, what="the key exchange", last_line=transport.last_words or None
            )
        cause, looks = cause_without_banner(
            self._listening.first_bytes, has_ended=self._listening.has_ended or isinstance(error, EOFError)
        )
        return self._fail(
            cause, detail=looks, seconds=self._deadline.seconds, last_line=self._listening.last_line
        )

    def _fail(self, cause: Cause, **facts: Any) -> DeviceError:
        return fail(cause, self._login.where, secrets=self._login.secrets, **facts)

    def invoke_shell(self, term: str, width: int, height: int) -> paramiko.Channel:
        """Open the session with a terminal. netmiko calls this."""
        transport = self._transport
        assert transport is not None, "connected before"
        self._tell_stage(Cause.NO_PROMPT)
        try:
            channel = transport.open_session(timeout=max(self._deadline.left_seconds, 0.001))
            channel.get_pty(term, width, height)
            channel.invoke_shell()
        except ChannelException as error:
            raise self._fail(Cause.SESSION_LIMIT, detail=f"it refuses to open one ({error.text})") from None
        except (SSHException, EOFError, OSError):
            if self._deadline.has_passed:
                raise self._fail(Cause.NO_PROMPT, seconds=self._deadline.seconds) from None
            words = transport.last_words or None
            detail = "it took the login, and then ended the connection"
            raise self._fail(Cause.SESSION_LIMIT, detail=detail, last_line=words) from None
        return channel

    def get_transport(self) -> QuietTransport | None:
        """Return the connection; None before there is one."""
        return self._transport

    def close(self) -> None:
        """Drop the connection without a goodbye. Does not wait: paramiko's thread closes the socket and ends."""
        transport = self._transport
        if transport is not None:
            # paramiko's timer for the handshake is a thread, and nothing else stops it.
            transport.packetizer.complete_handshake()
