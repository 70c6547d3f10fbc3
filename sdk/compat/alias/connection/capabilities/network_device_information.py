"""Asking a device about itself."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface


class InterfaceStatus(Enum):
    """How an interface is."""

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
    """Its configurations."""

    running: str
    startup: str


@dataclass
class InterfaceResult:
    """One of its interfaces."""

    name: str
    status: InterfaceStatus
    description: str


class InterfacesResult(list[InterfaceResult]):
    """Its interfaces."""


@dataclass
class NeighborResult:
    """One of its neighbors."""

    hostname: str
    ip: str
    capabilities: list[str]
    local_interface: str
    neighbor_interface: str


class NeighborsResult(list[NeighborResult]):
    """Its neighbors."""


class NetworkDeviceInformationCapability(CapabilityInterface):
    """Asks a device about itself."""

    @abstractmethod
    def get_information(self) -> InformationResult:
        """What it is."""

    @abstractmethod
    def get_config(self) -> ConfigSnapshotResult:
        """Its configurations."""

    @abstractmethod
    def get_interfaces(self) -> InterfacesResult:
        """Its interfaces."""

    @abstractmethod
    def get_neighbors(self) -> NeighborsResult:
        """Its neighbors."""


__getattr__ = refusing(__name__)
