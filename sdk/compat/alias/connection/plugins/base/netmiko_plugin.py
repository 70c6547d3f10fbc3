"""Connections by netmiko, for plugins of authors."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar, Final

from sdk.compat.migration_hints import refusing

from ...exceptions import ConnectionCreationError, PlatformNotSupportedError
from ...types.base_connection import BaseConnection
from ...types.connection_plugin import ConnectionPlugin

# The platforms' short names in the engine, and what netmiko calls them.
_DEVICE_TYPES: Final = {
    "forti": "fortinet",
    "forti_vdom": "fortinet",
    "frr": "linux",
    "ios": "cisco_ios",
    "iosxr": "cisco_iosxr",
    "mtik": "mikrotik_routeros",
    "procurve": "hp_procurve",
    "srl": "nokia_srl",
    "wlc_aireos": "cisco_wlc_ssh",
    "wlc_ios": "cisco_ios",
}


class NetmikoConnection(BaseConnection[Any]):
    """A connection by netmiko's `ConnectHandler`, with the device's own address and login."""

    connect_defaults: ClassVar[dict[str, Any]] = {}
    """Arguments for `ConnectHandler`, below those of `connect`."""

    def connect(self, **kwargs: Any) -> None:
        """Log in. `kwargs` are arguments of `ConnectHandler`; `device_type` is by the device's platform.

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
        arguments.setdefault("device_type", self._device_type())
        netmiko = importlib.import_module("netmiko")
        try:
            self._connection = netmiko.ConnectHandler(**arguments)
        except Exception as error:
            raise ConnectionCreationError(
                f"netmiko can't connect to {login.ip}", self._device_id, error
            ) from error

    def _device_type(self) -> str:
        platform = getattr(getattr(self.device, "platform", None), "short_name", None)
        if platform not in _DEVICE_TYPES:
            raise PlatformNotSupportedError(platform, "netmiko", self._device_id)
        return _DEVICE_TYPES[platform]

    def _close_raw(self, connection: Any) -> None:
        connection.disconnect()

    @property
    def is_alive(self) -> bool:
        """Whether netmiko's session is open."""
        connection = self._connection_or_none
        return connection is not None and bool(connection.is_alive())


class NetmikoConnectionPluginBase(ConnectionPlugin[NetmikoConnection, Any]):
    """A plugin that connects by netmiko. Its author names a platform and implements capabilities."""

    connection_type = "ssh"
    connection_library = "netmiko"
    connection_class: ClassVar[type[NetmikoConnection]] = NetmikoConnection

    def _create_connection(self) -> NetmikoConnection:
        return self.connection_class(self.device)


__getattr__ = refusing(__name__)
