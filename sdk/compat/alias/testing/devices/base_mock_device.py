"""A device that a test makes up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sdk.compat.client import client_class
from sdk.compat.migration_hints import refusing
from sdk.entities.temporary_ids import new_temporary_id


class BaseMockDevice(ABC):
    """The facts that a test must give of a device. The device answers no commands."""

    @property
    @abstractmethod
    def host(self) -> str:
        """The device's hostname."""

    @property
    @abstractmethod
    def ip(self) -> str:
        """The device's address."""

    @property
    @abstractmethod
    def username(self) -> str:
        """The username of its login."""

    @property
    @abstractmethod
    def password(self) -> str:
        """The password of its login."""

    @property
    @abstractmethod
    def device_type(self) -> str:
        """The short name of its platform."""

    def to_neops_device(self) -> Any:
        """The device in the form that a context holds, with a new id: the client's `DeviceTypeDto`."""
        platform = client_class("PlatformTypeDto")(
            id=new_temporary_id(), name=self.device_type, shortName=self.device_type
        )
        return client_class("DeviceTypeDto")(
            id=new_temporary_id(),
            hostname=self.host,
            ip=self.ip,
            username=self.username,
            password=self.password,
            vendor=self.device_type,
            platform=platform,
        )


__getattr__ = refusing(__name__)
