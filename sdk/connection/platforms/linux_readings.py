"""Converts output of Linux tools to facts. Pure functions; None for a text that the tool does not print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from sdk.connection.information import DeviceFacts, InterfaceFacts, InterfaceState, Neighbor, NextHop, Route
from sdk.connection.parsing import parse_json

# The kernel's names for who has set a route; `kernel` means the addresses of its own interfaces.
_PROTOCOLS = {"kernel": "connected", "boot": "static"}
# What makers of boards write if they have nothing to say.
_NO_NAMES = frozenset(
    {"", "none", "default string", "not specified", "to be filled by o.e.m.", "system serial number"}
)


def os_release(text: str) -> Mapping[str, str]:
    """Read `/etc/os-release`: names and values, without their quotes."""
    pairs = re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", text.replace("\r", ""), re.MULTILINE)
    return {name: " ".join(_unquoted(value)) for name, value in pairs}


def device_facts(release: str, hostname: str, uptime: str, board: str, platform: str) -> DeviceFacts | None:
    """Combine `/etc/os-release`, `hostname`, `/proc/uptime`, and maker, model and serial number of the board."""
    names = os_release(release)
    if not names.get("ID"):
        return None
    maker, model, serial = (
        *[_named(line) for line in board.replace("\r", "").split("\n")],
        None,
        None,
        None,
    )[:3]
    seconds = re.match(r"\s*(\d+)\.\d+ ", uptime)
    return DeviceFacts(
        platform=platform,
        hostname=hostname.strip() or None,
        vendor=maker,
        model=model,
        serial=serial,
        software_release=names.get("PRETTY_NAME") or names["ID"],
        uptime_seconds=int(seconds[1]) if seconds else None,
    )


def interfaces(ip_address: str) -> list[InterfaceFacts] | None:
    """Read `ip -j -d address`."""
    data = parse_json(ip_address)
    if not isinstance(data, list):
        return None
    # If a family has nothing to show, some versions of the tool leave an empty object.
    return [_interface(item) for item in data if "ifname" in item]


def routes(ip_route: str) -> list[Route] | None:
    """Read `ip -4 -j route`, the main table."""
    data = parse_json(ip_route)
    if not isinstance(data, list):
        return None
    return [_route(item) for item in data if "dst" in item]


def lldp_neighbors(lldpcli: str) -> list[Neighbor] | None:
    """Read `lldpcli -f json0 show neighbors`. The format json0 has the same shape for one neighbor and for many."""
    # A warning of the tool may come before it.
    data = parse_json(lldpcli[max(lldpcli.find("{"), 0) :])
    if not isinstance(data, dict) or "lldp" not in data:
        return None
    return [_neighbor(item) for part in _items(data["lldp"]) for item in _items(part.get("interface"))]


def _interface(item: Mapping[str, Any]) -> InterfaceFacts:
    flags = item.get("flags", [])
    if "UP" not in flags:
        state = InterfaceState.ADMINISTRATIVE_SHUTDOWN
    else:
        state = InterfaceState.UP if "LOWER_UP" in flags else InterfaceState.DOWN
    master = item.get("master")
    return InterfaceFacts(
        name=item["ifname"],
        state=state,
        description=item.get("ifalias"),
        addresses=tuple(
            f"{each['local']}/{each['prefixlen']}" for each in item.get("addr_info", []) if "local" in each
        ),
        mac_address=item.get("address") if item.get("link_type") == "ether" else None,
        mtu_bytes=item.get("mtu"),
        vrf=master if item.get("linkinfo", {}).get("info_slave_kind") == "vrf" else None,
    )


def _route(item: Mapping[str, Any]) -> Route:
    prefix = "0.0.0.0/0" if item["dst"] == "default" else item["dst"]
    hops = item.get("nexthops") or [item]
    protocol = str(item.get("protocol", "boot"))
    return Route(
        prefix=prefix if "/" in prefix else f"{prefix}/32",
        protocol=_PROTOCOLS.get(protocol, protocol),
        next_hops=tuple(hop for hop in map(_next_hop, hops) if hop != NextHop()),
        metric=item.get("metric"),
    )


def _next_hop(hop: Mapping[str, Any]) -> NextHop:
    via = hop.get("via")  # for an IPv4 route over an IPv6 address
    return NextHop(hop.get("gateway") or (via.get("host") if isinstance(via, dict) else None), hop.get("dev"))


def _neighbor(item: Mapping[str, Any]) -> Neighbor:
    chassis = next(iter(_items(item.get("chassis"))), {})
    port = next(iter(_items(item.get("port"))), {})
    return Neighbor(
        protocol="cdp" if str(item.get("via", "")).lower().startswith("cdp") else "lldp",
        local_interface=item["name"],
        name=_value(chassis, "name"),
        interface=_port_name(port),
        address=_value(chassis, "mgmt-ip"),
        platform=_value(chassis, "descr"),
        chassis_id=_value(chassis, "id"),
        capabilities=tuple(
            each["type"] for each in _items(chassis.get("capability")) if each.get("enabled") is True
        ),
    )


def _port_name(port: Mapping[str, Any]) -> str | None:
    # A port that is named by its MAC address has its name in the description.
    ident = next(iter(_items(port.get("id"))), {})
    return _value(port, "descr") if ident.get("type") == "mac" else ident.get("value")


def _value(part: Mapping[str, Any], name: str) -> str | None:
    return next((str(item["value"]) for item in _items(part.get(name)) if item.get("value")), None)


def _items(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in (value if isinstance(value, list) else []) if isinstance(item, dict))


def _named(text: str) -> str | None:
    name = text.strip()
    return None if name.lower() in _NO_NAMES else name


def _unquoted(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return [value]
