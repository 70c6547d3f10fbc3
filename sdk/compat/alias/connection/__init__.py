"""Connections to devices: interfaces, proxies, and what plugins are made of."""

from sdk.compat.migration_hints import refusing

from .capabilities import CapabilityInterface, NetworkDeviceInformationCapability
from .exceptions import CapabilityContext, NotImplementedForThisPlatform
from .proxy import ConnectionProxy
from .types import BaseConnection, ConnectionLibrary, ConnectionPlatform, ConnectionPlugin, ConnectionType

__all__ = [
    "BaseConnection",
    "CapabilityContext",
    "CapabilityInterface",
    "ConnectionLibrary",
    "ConnectionPlatform",
    "ConnectionPlugin",
    "ConnectionProxy",
    "ConnectionType",
    "NetworkDeviceInformationCapability",
    "NotImplementedForThisPlatform",
]

__getattr__ = refusing(__name__)
