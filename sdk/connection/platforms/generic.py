"""Every platform for which netmiko has an SSH driver and nobody has written a class."""

from __future__ import annotations

from sdk.connection.platforms.platform import Platform


class Generic(Platform):
    """Sends commands, and parses what they say where `ntc_templates` has a template. netmiko knows the paging."""

    prepared_by_netmiko = True
    has_enable = True


def generic_platform(name: str, netmiko_type: str) -> type[Platform]:
    """Return a class for one driver of netmiko."""
    return type(f"Generic_{netmiko_type}", (Generic,), {"name": name, "netmiko_type": netmiko_type})
