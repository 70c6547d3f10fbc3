"""Every platform for which netmiko has an SSH driver and nobody has written a class."""

from __future__ import annotations

from functools import cache

from sdk.connection.platforms.platform import Platform


class Generic(Platform):
    """Sends commands, and parses what they say where `ntc_templates` has a template. netmiko knows the paging."""

    prepared_by_netmiko = True
    has_enable = True


@cache
def generic_platform(name: str, netmiko_type: str) -> type[Platform]:
    """Return the class for one driver of netmiko, each time the same one: kept connections are found by it."""
    return type(f"Generic_{netmiko_type}", (Generic,), {"name": name, "netmiko_type": netmiko_type})
