"""Converts the output of FRR's vtysh to facts. Pure functions; None for a text that the command does not print."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sdk.connection.information import DeviceFacts, InterfaceFacts, InterfaceState, NextHop, Route
from sdk.connection.parsing import parse_json, parse_json_objects

_VERSION = re.compile(r"^\s*FRRouting (\S+) \((.*?)\)(?: on (.+?)\.?)?\s*$", re.MULTILINE)
# If vtysh's own file is missing (as in container images), or this user can't read it, vtysh says so before each answer,
# and goes on.
_ABOUT_ITS_FILE = re.compile(
    r"\s*% Can't open configuration file \S*vtysh\.conf due to [^\n]*(?:\n|\Z)"
    r"(?:Configuration file\[[^\]\n]*\] processing failure: \d+\s*?(?:\n|\Z))?"
)


def without_remark(text: str) -> str:
    """Return what a command has printed, without vtysh's remark about its own file."""
    remark = _ABOUT_ITS_FILE.match(text)
    return text if remark is None else text[remark.end() :]


def is_frr(show_version: str) -> bool:
    """Whether a text is FRR's answer to `show version`."""
    return _VERSION.search(show_version) is not None


def device_facts(show_version: str, platform: str) -> DeviceFacts | None:
    """Read `show version`. FRR is a program: there is no model and no serial number."""
    match = _VERSION.search(show_version)
    if match is None:
        return None
    return DeviceFacts(
        platform=platform, hostname=match[2] or None, vendor="FRRouting", software_release=match[1]
    )


def interfaces(show_interface_json: str) -> list[InterfaceFacts] | None:
    """Read `show interface vrf all json`."""
    data = parse_json(show_interface_json)
    if not isinstance(data, dict):
        return None
    return [_interface(name, item) for name, item in data.items() if isinstance(item, dict)]


def routes(show_ip_route_json: str) -> list[Route] | None:
    """Read `show ip route vrf all json`, or `show ipv6 route`: of several routes to a prefix, the one that is used.

    Depending on the release of FRR, it is one object that has the tables by VRF, or one object for each table.
    """
    tables = parse_json_objects(show_ip_route_json)
    if tables is None:
        return None
    found: list[Route] = []
    for name, value in (pair for table in tables for pair in table.items()):
        items = value.items() if isinstance(value, dict) else [(name, value)]
        found += [_route(item) for _, routes in items for item in routes if item.get("selected")]
    return found


def configuration(show_running_config: str) -> str | None:
    """Return the configuration without what vtysh prints around it; None for a text without one."""
    lines = show_running_config.replace("\r", "").strip("\n").split("\n")
    start = next((index for index, line in enumerate(lines) if line.startswith("frr version ")), None)
    if start is None:
        return None
    return "\n".join(lines[start:]).rstrip() + "\n"


def _interface(name: str, item: Mapping[str, Any]) -> InterfaceFacts:
    if item.get("administrativeStatus") != "up":
        state = InterfaceState.ADMINISTRATIVE_SHUTDOWN
    else:
        state = InterfaceState.UP if item.get("operationalStatus") == "up" else InterfaceState.DOWN
    vrf = item.get("vrfName")
    speed = item.get("speed")
    return InterfaceFacts(
        name=name,
        state=state,
        description=item.get("description") or item.get("protocolDescription"),
        addresses=tuple(each["address"] for each in item.get("ipAddresses", []) if "address" in each),
        mac_address=item.get("hardwareAddress"),
        mtu_bytes=item.get("mtu"),
        # For the kernel's "unknown", FRR prints a very large number.
        speed_mbit=speed if isinstance(speed, int) and 0 < speed < 4_294_967_295 else None,
        vrf=None if vrf == "default" else vrf,
    )


def _route(item: Mapping[str, Any]) -> Route:
    vrf = item.get("vrfName")
    return Route(
        prefix=item["prefix"],
        protocol=item["protocol"],
        next_hops=_next_hops(item.get("nexthops", [])),
        distance=item.get("distance"),
        metric=item.get("metric"),
        vrf=None if vrf == "default" else vrf,
    )


def _next_hops(hops: Sequence[Mapping[str, Any]]) -> tuple[NextHop, ...]:
    """Return the ways that packets take, each once: FRR lists an address that is reached over others beside these."""
    ways = [hop for hop in hops if not hop.get("recursive")] or hops
    return tuple(
        NextHop(hop.get("ip"), hop.get("interfaceName"))
        for hop in ways
        if hop.get("active") and not hop.get("unreachable") and not hop.get("duplicate")
    )
