"""The plugins of this worker. They reach devices by `sdk.connection`, under the names that blocks know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sdk.compat.migration_hints import refusing
from sdk.connection.capabilities import Configuration, Execution
from sdk.connection.errors import DeviceError, UnexpectedAnswerError
from sdk.connection.login import login_of

from ..capabilities.network_device_execution import CommandResult, NetworkDeviceExecutionCapability
from ..exceptions import ConnectionCreationError, NeopsConnectionError
from ..types.base_connection import BaseConnection
from ..types.connection_plugin import ConnectionPlugin
from ..utils.platform_mappings import get_netmiko_platform, short_name_of
from .own_answers import pattern_of

if TYPE_CHECKING:
    from sdk.connection.platforms.platform import Platform
    from sdk.connection.sync import SyncConnection

T = TypeVar("T")

_DEFAULT_SECONDS: Final = 30.0
_OWN_PLATFORMS: Final = {"frr": "frr"}
"""Platforms that the other SDK gives netmiko under another name. It takes FRR for a Linux host, behind a shell only."""

READ_SECONDS: Final = _DEFAULT_SECONDS
"""The time for reading facts."""
CHANGE_SECONDS: Final = 120.0
"""The time for a change if the block gives none: to read twice, to send, and to take it back if needed."""


class DeviceConnectionError(ConnectionCreationError, DeviceError):  # type: ignore[misc]  # `cause`: see below
    """An error on a device, for blocks that catch the errors of either SDK. `cause` is the error of this SDK."""

    def __init__(self, error: DeviceError, device_id: str | None) -> None:
        DeviceError.__init__(
            self, str(error), where=error.where, retryable=error.retryable, last_line=error.last_line
        )
        self.message = str(error)
        self.device_id = device_id
        # In the other SDK `cause` is the original exception; in ours it is the kind of the error.
        vars(self)["cause"] = error


class OwnConnection(BaseConnection[Any]):
    """A session of `sdk.connection`: with the address and login of the device, and the worker's host keys."""

    def connect(self, **kwargs: Any) -> None:
        """Log in. `kwargs` are arguments of `sdk.connection.connect_sync`. Raises `NeopsConnectionError`."""
        from sdk.connection.sync import connect_sync  # also loads threads and the pool

        self._require_ip("this worker")
        with self.telling():
            # An enable secret in the inventory means: the block wants the commands of privileged mode.
            needs = (Execution, Configuration) if login_of(self.device).enable_secret else (Execution,)
            platform = _OWN_PLATFORMS.get(short_name_of(self.device) or "") or get_netmiko_platform(
                self.device
            )
            arguments = {"needs": needs, "platform": platform, **kwargs}
            connection = connect_sync(self.device, **arguments)
            self._connection = connection.__enter__()

    def _close_raw(self, connection: SyncConnection) -> None:
        connection.__exit__(None, None, None)

    @property
    def is_alive(self) -> bool:
        """Whether it was opened and not closed. Only the next command shows whether the device still answers."""
        return self._connection_or_none is not None

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Turn errors of `sdk.connection` into those that blocks of the other SDK catch."""
        try:
            yield
        except DeviceError as error:
            raise DeviceConnectionError(error, self._device_id) from error


class OwnPlugin(ConnectionPlugin[OwnConnection, Any], NetworkDeviceExecutionCapability):
    """Commands on any platform that netmiko logs in to."""

    connection_type = "ssh"
    connection_library = "netmiko"

    def _create_connection(self) -> OwnConnection:
        return OwnConnection(self.device)

    def send_command(self, command: str, timeout: int | None = None) -> CommandResult:
        """Send a command and wait for the prompt. A line of the output is not taken for the prompt."""
        answer = self._asked(lambda conn: conn.send_command(command, timeout or _DEFAULT_SECONDS, parse=True))
        if answer.is_cut:
            raise NeopsConnectionError(
                f"The output of {command!r} is longer than the size limit. Ask for a part of it."
            )
        is_table = isinstance(answer.parsed, list) and all(isinstance(row, dict) for row in answer.parsed)
        return CommandResult(answer.output, answer.parsed if is_table else None)

    def send_command_expect(self, command: str, expect: str, timeout: int | None = None) -> CommandResult:
        """Send a command and wait for a text, which may be a regular expression."""
        return self.send_interactive([(command, expect)], timeout)

    def send_interactive(
        self, interactions: list[tuple[str, str]], timeout: int | None = None
    ) -> CommandResult:
        """Send each input and wait for its text; wait for the prompt if the text is empty.

        If a prompt comes instead of a text, the dialogue ends, as with the package. Further inputs are not sent.
        """
        steps = [(line, pattern_of(expect)) for line, expect in interactions]

        def talk(conn: SyncConnection) -> str:
            try:
                return conn.send_interactive(steps, timeout or _DEFAULT_SECONDS)
            except UnexpectedAnswerError as error:
                return error.said

        return CommandResult(self._asked(talk), None)

    def _asked(self, ask: Callable[[SyncConnection], T]) -> T:
        connection = self.require_raw_connection()
        assert self._active_connection is not None, "it has a raw connection"
        with self._active_connection.telling():
            return ask(connection)

    def _done(self, what: str, work: Callable[[Platform, Any], T], seconds: float) -> T:
        """The result of `work`, called with the platform and a deadline."""
        from sdk.connection.verbs import Verb

        return self._asked(lambda conn: conn.run(Verb(what, work), seconds))


__getattr__ = refusing(__name__)
