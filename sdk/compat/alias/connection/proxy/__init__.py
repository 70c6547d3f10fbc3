"""Proxies: what a block talks to a device with."""

from sdk.compat.migration_hints import refusing

from .proxy import (
    ConnectionProxy,
    FileStorageConnectionProxy,
    NetworkControllerConnectionProxy,
    NetworkDeviceConnectionProxy,
    NetworkDeviceDiscoveryProxy,
    PlatformDetectionProxy,
)

__all__ = [
    "ConnectionProxy",
    "FileStorageConnectionProxy",
    "NetworkControllerConnectionProxy",
    "NetworkDeviceConnectionProxy",
    "NetworkDeviceDiscoveryProxy",
    "PlatformDetectionProxy",
]

__getattr__ = refusing(__name__)
