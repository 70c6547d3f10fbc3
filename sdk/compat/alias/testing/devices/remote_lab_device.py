"""A device of a remote lab."""

from __future__ import annotations

from typing import Any

from sdk.compat.migration_hints import refusing
from sdk.testing.labs import address_in

from .base_mock_device import BaseMockDevice


class RemoteLabDevice(BaseMockDevice):
    """A device as netlab describes it, with its address below `mgmt`, or as an inventory of Ansible describes it.

    `raw` is the whole description.
    """

    def __init__(self, node_name: str, inspect_data: dict[str, Any]) -> None:
        self._name = node_name
        self.raw = inspect_data

    @staticmethod
    def from_dto(netlab_device: Any) -> RemoteLabDevice:
        """The device for an object with `name` and `raw`, as a lab fixture yields it."""
        return RemoteLabDevice(netlab_device.name, dict(netlab_device.raw or {}))

    @property
    def name(self) -> str:
        """The device's name in the lab."""
        return self._name

    @property
    def host(self) -> str:
        """The address by which the device is reached."""
        return self.ip

    @property
    def ip(self) -> str:
        """The device's address."""
        return str(address_in(self.raw) or "")

    @property
    def username(self) -> str:
        """The username of its login."""
        return self._first("ansible_user", "username")

    @property
    def password(self) -> str:
        """The password of its login."""
        return self._first("ansible_ssh_pass", "ansible_password", "password")

    @property
    def device_type(self) -> str:
        """The short name of its platform."""
        return self._first("ansible_network_os", "netlab_device_type", "device")

    def to_neops_device(self) -> Any:
        """The device in the form that a context holds, named as in the lab: the client's `DeviceTypeDto`."""
        device = super().to_neops_device()
        device.hostname = self.name
        return device

    def _first(self, *keys: str) -> str:
        return next((str(self.raw[key]) for key in keys if self.raw.get(key)), "")


__getattr__ = refusing(__name__)
