"""Platforms for which netmiko has an SSH driver, but nobody has written a class."""

from __future__ import annotations

from functools import cache

from sdk.connection.platforms.platform import Platform


class Generic(Platform):
    """Sends commands, and parses the output if `ntc_templates` has a template. netmiko turns paging off."""

    prepared_by_netmiko = True


@cache
def generic_platform(name: str, netmiko_type: str) -> type[Platform]:
    """Return the class for one driver of netmiko. It is the same each time: kept connections are found by it."""
    return type(f"Generic_{netmiko_type}", (Generic,), {"name": name, "netmiko_type": netmiko_type})
