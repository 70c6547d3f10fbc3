"""What a plugin is made of."""

from sdk.compat.migration_hints import refusing

from .aliases import AnyConnection, ConnectionLibrary, ConnectionPlatform, ConnectionType, RawConnection
from .base_connection import BaseConnection, DeviceCredentials, device_id_of
from .connection_plugin import ConnectionPlugin

__all__ = [
    "AnyConnection",
    "BaseConnection",
    "ConnectionLibrary",
    "ConnectionPlatform",
    "ConnectionPlugin",
    "ConnectionType",
    "DeviceCredentials",
    "RawConnection",
    "device_id_of",
]

__getattr__ = refusing(__name__)
