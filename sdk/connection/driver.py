"""netmiko's object for one device: what it knows about a platform's login, without time-outs shorter than ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from netmiko import ConnectHandler, log
from netmiko.base_connection import BaseConnection
from netmiko.no_enable import NoEnable
from netmiko.ssh_auth import SSHClient_noauth

from sdk.connection.deadline import Deadline
from sdk.connection.login import Login

_SHORT_SECONDS: Final = 10.0
"""How long netmiko waits if it can't guess how long something takes. If it waits less, silence counts as an answer."""
_SYSTEM_VIEW: Final = "system-view"
"""What netmiko's `enable` sends to Comware. It enters configuration mode, which is no privileged mode."""


def make_driver(device_type: str, login: Login) -> BaseConnection:
    """Return netmiko's object for a device, not connected."""
    driver: BaseConnection = ConnectHandler(
        device_type=device_type,
        host=login.host,
        port=login.port,
        username=login.username,
        password=login.password or "",
        secret=login.enable_secret or "",
        auto_connect=False,
    )
    # It leaves a filter on its module's logger for each object. Our logs don't have the text that the filter hides.
    log.removeFilter(driver._secrets_filter)
    return driver


def asks_in_the_session(driver: BaseConnection) -> bool:
    """Whether the platform's devices accept a login without a password, and ask for the password in the session."""
    return isinstance(driver._get_ssh_client_instance(), SSHClient_noauth)


def enable_command(driver: BaseConnection) -> str | None:
    """Return the command that enters privileged mode; None on platforms without one."""
    command = inspect.signature(driver.enable).parameters["cmd"].default
    if not isinstance(command, str) or isinstance(driver, NoEnable):
        return None
    return None if command in ("", _SYSTEM_VIEW) else command


def put_in(
    driver: BaseConnection,
    client: Any,
    deadline: Deadline,
    is_aborted: Callable[[], bool],
    hear: Callable[[str], None],
) -> None:
    """Make `driver` use `client` for SSH, and wait as long as the deadline allows. `hear` gets what it reads.

    netmiko's loops read "nothing yet" until their own time-out, even from a connection that has ended.
    """
    read = driver.read_channel
    read_until = driver.read_until_pattern

    def read_channel() -> str:
        text = read()
        if not text and (is_aborted() or getattr(driver.remote_conn, "closed", False)):
            raise EOFError
        hear(text)
        deadline.check()
        return text

    def read_until_pattern(
        pattern: str = "", read_timeout: float = _SHORT_SECONDS, *args: Any, **more: Any
    ) -> str:
        if read_timeout >= _SHORT_SECONDS:
            read_timeout = max(read_timeout, deadline.left_seconds)
        return read_until(pattern, read_timeout, *args, **more)

    _replace(
        driver,
        _build_ssh_client=lambda: client,
        read_channel=read_channel,
        read_until_pattern=read_until_pattern,
        # No goodbye after a failed login: netmiko would wait ten seconds for an answer.
        cleanup=lambda command="": None,
    )


def _replace(driver: BaseConnection, **methods: Callable[..., Any]) -> None:
    """Replace methods of one object, not of its class: the class comes from netmiko's table of drivers."""
    for name, function in methods.items():
        setattr(driver, name, function)
