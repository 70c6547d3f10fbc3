"""The host to detect, and what was read from it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sdk.compat.client import client_class
from sdk.compat.migration_hints import refusing

from .constants import DETECTION_DEVICE_ID, DETECTION_PLATFORM


@dataclass
class DetectionTarget:
    """An address and a login. The two times are in seconds."""

    host: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    port: int = 22
    connect_timeout: float = 10.0
    command_timeout: float = 8.0

    @property
    def has_credentials(self) -> bool:
        """Whether there is a login."""
        return bool(self.username and self.password)

    @classmethod
    def from_device(
        cls,
        device: Any,
        port: int = 22,
        connect_timeout: float = 10.0,
        command_timeout: float = 8.0,
    ) -> DetectionTarget:
        """The address and login of a device."""
        return cls(device.ip or "", device.username, device.password, port, connect_timeout, command_timeout)


@dataclass
class DetectionContext:
    """What the probes of one detection have read: the output by its command."""

    outputs: dict[str, str] = field(default_factory=dict)


def make_detection_device(ip: str, username: str | None = None, password: str | None = None) -> Any:
    """A device of the client's classes, with an address and without a platform.

    Raises `ImportError` if no client is installed.
    """
    from ...workflow.entities import Platform  # needs the client

    platform = Platform.model_validate({"short_name": DETECTION_PLATFORM})
    facts = {"hostname": ip, "ip": ip, "username": username, "password": password, "platform": platform}
    return client_class("DeviceTypeDto")(id=DETECTION_DEVICE_ID, **facts)


__getattr__ = refusing(__name__)
