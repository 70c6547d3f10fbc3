"""A device of a remote lab."""

from __future__ import annotations

from typing import Any

from sdk.compat.migration_hints import refusing

from .base_mock_device import BaseMockDevice


class RemoteLabDevice(BaseMockDevice):
    """A device as a lab's inventory describes it, in the names that Ansible uses."""

    def __init__(self, node_name: str, inspect_data: dict[str, Any]) -> None:
        self._name = node_name
        self._data = inspect_data

    @staticmethod
    def from_dto(netlab_device: Any) -> RemoteLabDevice:
        """The device of an object with `name` and `raw`, which is what a lab fixture yields."""
        return RemoteLabDevice(netlab_device.name, dict(netlab_device.raw or {}))

    @property
    def name(self) -> str:
        """Its name in the lab."""
        return self._name

    @property
    def host(self) -> str:
        """Its name in the lab."""
        return self._name

    @property
    def ip(self) -> str:
        """Its address."""
        return self._first("ansible_host", "ip")

    @property
    def username(self) -> str:
        """The login to it."""
        return self._first("ansible_user", "username")

    @property
    def password(self) -> str:
        """The password to it."""
        return self._first("ansible_ssh_pass", "ansible_password", "password")

    @property
    def device_type(self) -> str:
        """The short name of its platform."""
        return self._first("ansible_network_os", "netlab_device_type", "device")

    def _first(self, *keys: str) -> str:
        return next((str(self._data[key]) for key in keys if self._data.get(key)), "")


__getattr__ = refusing(__name__)
