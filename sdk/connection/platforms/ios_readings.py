"""Converts the output of `show` commands of IOS and IOS-XE to facts. Pure functions.

Each takes the output of the command in its name, as the device printed it. It returns None if the text is not what that
command prints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from sdk.connection.information import DeviceFacts, InterfaceFacts, InterfaceState, Neighbor, NextHop, Route
from sdk.connection.parsing import parse_rows
from sdk.connection.platforms.ios_ip_readings import Addresses

_TEMPLATES = "cisco_ios"
# Lines that every configuration of IOS has, and what a device prints before it.
_CONFIG_VERSION = re.compile(r"^version \d", re.MULTILINE)
_AROUND = re.compile(
    r"Building configuration|Current configuration\s*:|Using \d+ (out )?of \d+ bytes"
    r"|Uncompressed configuration from \d+ bytes"
)
# The lines that a device prints above each answer with `exec prompt timestamp`.
_TIMESTAMP = re.compile(r"\s*Load for five secs: [^\n]*\n(?:Time source is|No time source)[^\n]*(?:\n|\Z)")
_UNIT_SECONDS = {"year": 31_536_000, "week": 604_800, "day": 86_400, "hour": 3600, "minute": 60}
# The letters before a route, and the words that all platforms share.
_PROTOCOLS = {
    "C": "connected",
    "L": "local",
    "S": "static",
    "O": "ospf",
    "B": "bgp",
    "i": "isis",
    "R": "rip",
    "D": "eigrp",
}
# How an interface and a route begin, whether the template knows the rest or not.
_INTERFACE = re.compile(r"^\S.* is .+, line protocol is ", re.MULTILINE)
_ROUTE = re.compile(r"^[A-Za-z].{0,9}? +(\d+\.\d+\.\d+\.\d+)", re.MULTILINE)
_NO_ROUTES = re.compile(r"^Gateway of last resort is not set\s*\Z", re.MULTILINE)


def without_timestamp(text: str) -> str:
    """Return an answer without the load and the time that a device may print above it (`exec prompt timestamp`)."""
    stamp = _TIMESTAMP.match(text)
    return text if stamp is None else text[stamp.end() :]


def device_facts(show_version: str, platform: str) -> DeviceFacts | None:
    """Read `show version`. For a stack, the model and serial number are the first member's."""
    rows = parse_rows(_TEMPLATES, "show version", show_version)
    if not rows or not rows[0]["version"]:
        return None
    row = rows[0]
    return DeviceFacts(
        platform=platform,
        hostname=row["hostname"] or None,
        vendor="Cisco",
        model=_first(row["hardware"]),
        serial=_first(row["serial"]),
        software_release=row["version"],
        uptime_seconds=_uptime_seconds(row["uptime"]),
    )


def interfaces(show_interfaces: str) -> list[InterfaceFacts] | None:
    """Read `show interfaces`. It prints only the primary IPv4 address (see `with_addresses`)."""
    rows = parse_rows(_TEMPLATES, "show interfaces", show_interfaces)
    # A template leaves out what it does not know, without a word. So this counts the interfaces that must come.
    if rows is None or len(rows) != len(_INTERFACE.findall(show_interfaces)):
        return None
    return [_interface(row) for row in rows]


def with_addresses(
    interfaces: list[InterfaceFacts], ipv4: Mapping[str, Addresses], ipv6: Mapping[str, Addresses]
) -> list[InterfaceFacts]:
    """Return the interfaces with all their addresses and their VRFs."""
    nothing = Addresses(())
    found = []
    for each in interfaces:
        one, other = ipv4.get(each.name, nothing), ipv6.get(each.name, nothing)
        addresses = dict.fromkeys((*each.addresses, *one.addresses, *other.addresses))
        found.append(replace(each, addresses=tuple(addresses), vrf=one.vrf or other.vrf))
    return found


def lldp_neighbors(show_lldp_neighbors_detail: str) -> list[Neighbor] | None:
    """Read `show lldp neighbors detail`; no neighbors if LLDP is off."""
    if is_off(show_lldp_neighbors_detail, "LLDP"):
        return []
    rows = parse_rows(_TEMPLATES, "show lldp neighbors detail", show_lldp_neighbors_detail)
    if rows is None or len(rows) != _count(show_lldp_neighbors_detail, "", len(rows)):
        return None
    return [
        Neighbor(
            protocol="lldp",
            local_interface=full_interface_name(row["local_interface"]),
            name=row["neighbor_name"] or None,
            interface=_neighbor_port(row["neighbor_port_id"]) or row["neighbor_interface"] or None,
            address=row["mgmt_address"] or None,
            platform=row["neighbor_description"] or None,
            chassis_id=row["chassis_id"] or None,
            capabilities=tuple(word.strip() for word in row["capabilities"].split(",") if word.strip()),
        )
        for row in rows
    ]


def cdp_neighbors(show_cdp_neighbors_detail: str) -> list[Neighbor] | None:
    """Read `show cdp neighbors detail`; no neighbors if CDP is off."""
    if is_off(show_cdp_neighbors_detail, "CDP"):
        return []
    rows = parse_rows(_TEMPLATES, "show cdp neighbors detail", show_cdp_neighbors_detail)
    if rows is None or len(rows) != _count(show_cdp_neighbors_detail, "cdp ", len(rows)):
        return None
    return [
        Neighbor(
            protocol="cdp",
            local_interface=full_interface_name(row["local_interface"]),
            name=row["neighbor_name"],
            interface=row["neighbor_interface"] or None,
            address=row["mgmt_address"] or None,
            platform=row["platform"] or None,
            capabilities=tuple(row["capabilities"].split()),
        )
        for row in rows
    ]


def routes(show_ip_route: str, vrf: str | None = None) -> list[Route] | None:
    """Read `show ip route`; several next hops of a prefix are one route. `vrf` is the VRF of the table."""
    if _NO_ROUTES.search(show_ip_route):
        return []
    rows = parse_rows(_TEMPLATES, "show ip route", show_ip_route)
    if rows is None or not set(_ROUTE.findall(show_ip_route)) <= {row["network"] for row in rows}:
        return None
    found: dict[tuple[str, str], Route] = {}
    for row in rows:
        prefix = f"{row['network']}/{row['prefix_length']}"
        protocol: str = _PROTOCOLS.get(row["protocol"]) or row["protocol"]
        is_dropped = row["nexthop_if"].lower().startswith("null")
        hops = () if is_dropped else (NextHop(row["nexthop_ip"] or None, row["nexthop_if"] or None),)
        known = found.get((prefix, protocol))
        found[prefix, protocol] = Route(
            prefix=prefix,
            protocol=protocol,
            next_hops=(*(known.next_hops if known else ()), *hops),
            distance=_number(row["distance"]),
            metric=_number(row["metric"]),
            vrf=vrf,
        )
    return list(found.values())


def configuration(show_config: str) -> str | None:
    """Return a configuration without what the device prints around it; None for a text without one of IOS."""
    if _CONFIG_VERSION.search(show_config) is None:
        return None
    lines = show_config.replace("\r", "").strip("\n").split("\n")
    for index, line in enumerate(lines):
        if line.startswith(("!", "version ")):
            return "\n".join(lines[index:]).rstrip() + "\n"
        if line.strip() and not _AROUND.match(line):
            return None
    return None


_FULL_NAMES = {
    "Fa": "FastEthernet",
    "Gi": "GigabitEthernet",
    "Te": "TenGigabitEthernet",
    "Twe": "TwentyFiveGigE",
    "Fo": "FortyGigabitEthernet",
    "Hu": "HundredGigE",
    "Et": "Ethernet",
    "Lo": "Loopback",
    "Vl": "Vlan",
    "Po": "Port-channel",
    "Tu": "Tunnel",
    "Se": "Serial",
    "Mg": "mgmt",
}


def full_interface_name(name: str) -> str:
    """Return `GigabitEthernet0/1` for `Gi0/1`: LLDP shortens names that other commands print in full."""
    match = re.fullmatch(r"([A-Z][a-z]+)(\d[\d/.]*)", name.strip())
    if match is None or match[1] not in _FULL_NAMES:
        return name.strip()
    return _FULL_NAMES[match[1]] + match[2]


def _interface(row: dict[str, str]) -> InterfaceFacts:
    address = f"{row['ip_address']}/{row['prefix_length']}" if row["ip_address"] else None
    mac = mac_address(row["mac_address"])
    return InterfaceFacts(
        name=row["interface"],
        state=_state(row["link_status"], row["protocol_status"]),
        description=row["description"] or None,
        addresses=(address,) if address else (),
        mac_address=mac,
        mtu_bytes=_number(row["mtu"]),
        # The bandwidth of an interface without hardware is only a figure for routing protocols.
        speed_mbit=_speed_mbit(row["bandwidth"]) if mac else None,
    )


def _state(link: str, protocol: str) -> InterfaceState:
    if "administratively" in link:
        return InterfaceState.ADMINISTRATIVE_SHUTDOWN
    if "err-disabled" in link or "err-disabled" in protocol:
        return InterfaceState.ERROR_DISABLED
    return InterfaceState.UP if protocol.startswith("up") else InterfaceState.DOWN


def mac_address(text: str) -> str | None:
    """Return `02:00:5e:00:53:01` for any form of a MAC address, None if the text is no address."""
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    return ":".join(re.findall("..", digits)) if len(digits) == 12 else None


def _speed_mbit(bandwidth: str) -> int | None:
    match = re.match(r"(\d+)\s+Kbit", bandwidth)
    return int(match[1]) // 1000 or None if match else None


def _neighbor_port(port_id: str) -> str | None:
    return None if mac_address(port_id) else full_interface_name(port_id)


def _count(output: str, protocol: str, otherwise: int) -> int:
    """Return how many entries the device says that it has shown; `otherwise` if it does not say."""
    match = re.search(rf"^\s*Total {protocol}entries displayed\s*:\s*(\d+)", output, re.MULTILINE)
    return int(match[1]) if match else otherwise


def _uptime_seconds(text: str) -> int | None:
    found = re.findall(r"(\d+) (year|week|day|hour|minute)s?", text)
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in found) if found else None


def is_off(output: str, protocol: str) -> bool:
    """Whether an output says that `LLDP` or `CDP` is not enabled."""
    return re.match(rf"\s*%\s*{protocol} is not enabled\s*\Z", output) is not None


def _first(values: list[str]) -> str | None:
    return values[0] if values else None


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
