"""Asking a device about itself."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface


class InterfaceStatus(Enum):
    """The state of an interface."""

    UP = "up"
    DOWN = "down"
    DISABLED = "disabled"
    ERROR_DISABLED = "error_disabled"


@dataclass
class InformationResult:
    """What the device is."""

    hostname: str
    vendor: str
    model: str
    serial: str
    software_release: str


@dataclass
class ConfigSnapshotResult:
    """The configurations of a device."""

    running: str
    startup: str


@dataclass
class InterfaceResult:
    """One interface of a device."""

    name: str
    status: InterfaceStatus
    description: str


class InterfacesResult(list[InterfaceResult]):
    """The interfaces of a device."""


@dataclass
class NeighborResult:
    """One neighbor of a device."""

    hostname: str
    ip: str
    capabilities: list[str]
    local_interface: str
    neighbor_interface: str


class NeighborsResult(list[NeighborResult]):
    """The neighbors of a device."""


class NetworkDeviceInformationCapability(CapabilityInterface):
    """Asks a device about itself."""

    @abstractmethod
    def get_information(self) -> InformationResult:
        """What the device is."""

    @abstractmethod
    def get_config(self) -> ConfigSnapshotResult:
        """The device's configurations."""

    @abstractmethod
    def get_interfaces(self) -> InterfacesResult:
        """The device's interfaces."""

    @abstractmethod
    def get_neighbors(self) -> NeighborsResult:
        """The device's neighbors."""


__getattr__ = refusing(__name__)
