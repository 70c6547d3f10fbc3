"""Facts that a device reports, with the same fields for every platform.

All classes are frozen. A field is None if the device does not report it. A list that a device has, but that could not
be read, is an error and never an empty list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a device is: who made it, what runs on it, and for how long.

    `platform` is the short name of the plugin that read it. `uptime_seconds` is as exact as the device reports it.
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
    """One interface. `addresses` are IPv4 and IPv6 with their prefix lengths, as `192.0.2.1/24`, also secondary ones.

    `state` is UP if the line protocol is up. `mac_address` has the form `02:00:5e:00:53:01`. `mtu_bytes` is in bytes,
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

    `name`, `interface` and `address` are those of the neighbor. `address` is its management address.
    `platform` is its own description of itself.
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
    """One IPv4 or IPv6 route that the device has chosen. `vrf` is None in the table without a VRF.

    `prefix` has the form `192.0.2.0/24` or `2001:db8::/32`. A route that drops packets has no next hop. If a next hop
    is itself reached over others, as with iBGP, FRR and Linux name these, and IOS names the address alone.

    `protocol` is one word for all platforms: `connected`, `local`, `static`, `ospf`, `bgp`, `isis`, `rip`, `eigrp`,
    `kernel`, or the device's own word. `distance` and `metric` are plain numbers, None if the device shows none.
    """

    prefix: str
    protocol: str
    next_hops: tuple[NextHop, ...] = ()
    distance: int | None = None
    metric: int | None = None
    vrf: str | None = None
