"""Connections by netmiko, for plugins of authors."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

from sdk.compat.migration_hints import refusing

from ...exceptions import ConnectionCreationError
from ...types.base_connection import BaseConnection
from ...types.connection_plugin import ConnectionPlugin
from ...utils.platform_mappings import get_netmiko_platform


class NetmikoConnection(BaseConnection[Any]):
    """A connection by netmiko's `ConnectHandler`, with the device's own address and login."""

    connect_defaults: ClassVar[dict[str, Any]] = {}
    """Arguments for `ConnectHandler`. Those of `connect` go before them."""

    def connect(self, **kwargs: Any) -> None:
        """Log in. `kwargs` are arguments of `ConnectHandler`; `device_type` comes from the device's platform.

        If the mapping lacks the platform, give netmiko's name of it as `platform`, there or in `connect_defaults`.

        Raises `ConnectionCreationError`, `ConnectionValidationError`, `PlatformNotSupportedError`.
        """
        login = self._require_credentials("netmiko")
        arguments = {
            "host": login.ip,
            "username": login.username,
            "password": login.password,
            **self.connect_defaults,
            **kwargs,
        }
        platform = arguments.pop("platform", None) or get_netmiko_platform(self.device)
        arguments.setdefault("device_type", platform)
        netmiko = importlib.import_module("netmiko")
        try:
            self._connection = netmiko.ConnectHandler(**arguments)
        except Exception as error:
            raise ConnectionCreationError(
                f"netmiko can't connect to {login.ip}", self._device_id, error
            ) from error

    def _close_raw(self, connection: Any) -> None:
        connection.disconnect()

    @property
    def is_alive(self) -> bool:
        """Whether netmiko's session is open."""
        connection = self._connection_or_none
        return connection is not None and bool(connection.is_alive())


class NetmikoConnectionPluginBase(ConnectionPlugin[NetmikoConnection, Any]):
    """A plugin that connects by netmiko. Its author gives a platform and implements capabilities."""

    connection_type = "ssh"
    connection_library = "netmiko"
    connection_class: ClassVar[type[NetmikoConnection]] = NetmikoConnection

    def _create_connection(self) -> NetmikoConnection:
        return self.connection_class(self.device)


__getattr__ = refusing(__name__)
