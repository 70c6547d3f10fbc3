"""Finds the class for a platform: registered ones first, then any SSH driver of netmiko."""

from __future__ import annotations

from sdk.connection.causes import Cause
from sdk.connection.errors import fail

# Imported for their registration. An author's class is imported later, and replaces one of these.
from sdk.connection.platforms import frr as _frr
from sdk.connection.platforms import ios as _ios
from sdk.connection.platforms import linux as _linux
from sdk.connection.platforms.generic import generic_platform
from sdk.connection.platforms.names import netmiko_device_type, normal_name
from sdk.connection.platforms.platform import Platform
from sdk.connection.platforms.registration import REGISTRY

__all__ = ["known_platforms", "platform_of"]

_BUNDLED = (_frr, _ios, _linux)


def platform_of(name: str, where: str = "The device") -> type[Platform]:
    """Return the class for a platform's short name, or for a device type of netmiko. `where` is for messages.

    Raises:
        UnknownPlatformError: the name is neither, or netmiko speaks to it only by telnet or a serial line.
    """
    registered = REGISTRY.find(name)
    if registered is not None:
        return registered
    netmiko_type = netmiko_device_type(name)
    if netmiko_type is None:
        raise fail(Cause.UNKNOWN_PLATFORM, where, platform=name)
    return generic_platform(normal_name(name), netmiko_type)


def known_platforms() -> list[str]:
    """Return the short names for which there is a class, in alphabetical order."""
    return REGISTRY.names()
