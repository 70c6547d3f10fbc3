"""What a device says about itself, with the same fields from every platform.

All are frozen. A field is None where the device does not say it; a list that a device has, but that could not be
read, is an error and never an empty list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a device is: who made it, what runs on it, and for how long.

    `platform` is the short name of the plugin that read it, `uptime_seconds` is as exact as the device says it.
    """

    platform: str
    hostname: str | None = None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    software_release: str | None = None
    uptime_seconds: int | None = None


class InterfaceState(StrEnum):
    """The state of an interface in the engine's words (engine contract: entities)."""

    UP = "UP"
    DOWN = "DOWN"
    ERROR_DISABLED = "ERROR_DISABLED"
    ADMINISTRATIVE_SHUTDOWN = "ADMINISTRATIVE_SHUTDOWN"


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    """One interface. `addresses` are IPv4 and IPv6 with their prefix lengths, as `192.0.2.1/24`, secondary ones too.

    `state` is UP where the line protocol is. `mac_address` is written `02:00:5e:00:53:01`. `mtu_bytes` is in bytes,
    `speed_mbit` in millions of bits per second.
    """

    name: str
    state: InterfaceState
    description: str | None = None
    addresses: tuple[str, ...] = ()
    mac_address: str | None = None
    mtu_bytes: int | None = None
    speed_mbit: int | None = None
    vrf: str | None = None


@dataclass(frozen=True, slots=True)
class Neighbor:
    """One device that a discovery protocol (`lldp` or `cdp`) saw on an interface.

    `name`, `interface` and `address` are the neighbor's; `address` is the one it is managed by.
    `platform` is how it describes itself.
    """

    protocol: str
    local_interface: str
    name: str | None = None
    interface: str | None = None
    address: str | None = None
    platform: str | None = None
    chassis_id: str | None = None
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextHop:
    """Where a route leads: an address, an interface, or both."""

    address: str | None = None
    interface: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One route that the device has chosen, of IPv4 or IPv6. `vrf` is None in the table that is no VRF's.

    `prefix` is written `192.0.2.0/24` or `2001:db8::/32`. What is dropped has no next hop.

    `protocol` is one word for all platforms: `connected`, `local`, `static`, `ospf`, `bgp`, `isis`, `rip`, `eigrp`,
    `kernel`, or what the device calls it. `distance` and `metric` are plain numbers, None where the device shows none.
    """

    prefix: str
    protocol: str
    next_hops: tuple[NextHop, ...] = ()
    distance: int | None = None
    metric: int | None = None
    vrf: str | None = None
