"""Converts what IOS and IOS-XE print about addresses, VRFs and IPv6 routes to facts. Pure functions.

Few of these have a template, and no template reports a line that it knows only in part. So these functions count each
line that must mean something. They return None if one does not, or if the text is not what the command prints.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sdk.connection.information import NextHop, Route

_HEADER: Final = re.compile(r"^(\S+) is .+, line protocol is .+$", re.MULTILINE)
_VRF: Final = re.compile(r'^\s+VPN Routing/Forwarding "([^"\n]+)"', re.MULTILINE)
_IPV4: Final = re.compile(
    r"^\s+(?:Internet|Secondary) address (?:is )?(\d+\.\d+\.\d+\.\d+/\d+)\s*$", re.MULTILINE
)
# Must be an address. An address from DHCP, or of another interface, has other words here.
_IPV4_LINE: Final = re.compile(r"^\s+(?:Internet|Secondary) address (?:is )?\d", re.MULTILINE)
_IPV6: Final = re.compile(r"^\s+([0-9A-Fa-f:.]+), subnet is [0-9A-Fa-f:.]+(/\d+)", re.MULTILINE)
_IPV6_LINE: Final = re.compile(r", subnet is ")

_TABLE: Final = re.compile(r"^IPv6 Routing Table\b.*?(\d+) entries\s*$", re.MULTILINE)
_NO_TABLE: Final = re.compile(r"^\s*%\s*IPv6 routing\b.*(does not exist|not enabled)", re.IGNORECASE)
_ROUTE: Final = re.compile(
    r"(?P<code>[A-Za-z][A-Za-z0-9]{0,3})[*%]?\s+(?P<prefix>[0-9A-Fa-f:.]+/\d+)"
    r"(?:\s+\[(?P<distance>\d+)/(?P<metric>\d+)\])?(?:, tag \d+)?\s*"
)
_VIA: Final = re.compile(r"\s+via (?P<first>[^,\s]+)(?:, (?P<second>[^,]+))?(?:, [^,]+)*\s*")
_CODES: Final = re.compile(r"Codes: |\s+[A-Za-z][A-Za-z0-9]{0,3} - ")
_PROTOCOLS: Final = {
    "C": "connected",
    "L": "local",
    "LC": "local",
    "S": "static",
    "U": "static",
    "B": "bgp",
    "R": "rip",
    "D": "eigrp",
    "EX": "eigrp",
    **dict.fromkeys(("O", "OI", "OE1", "OE2", "ON1", "ON2"), "ospf"),
    **dict.fromkeys(("I1", "I2", "IA", "IS"), "isis"),
}

_VRF_HEADER: Final = re.compile(r"\s*Name\s+Default RD\b.*")
_VRF_ROW: Final = re.compile(r"\s{1,4}(?P<name>\S+)\s+(?:<not set>|\S+:\S+)(?P<rest>(?:\s.*)?)")
_VRF_MORE: Final = re.compile(r"\s{20,}\S+\s*")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of one interface, in the order of the device, and its VRF."""

    addresses: tuple[str, ...]
    vrf: str | None = None


@dataclass(frozen=True, slots=True)
class Vrf:
    """One VRF, and whether it routes IPv4 and IPv6."""

    name: str
    has_ipv4: bool
    has_ipv6: bool


def ipv4_addresses(show_ip_interface: str) -> dict[str, Addresses] | None:
    """Read `show ip interface`: by the interface's name, with primary addresses before secondary ones."""
    found: dict[str, Addresses] = {}
    for name, text in _paragraphs(show_ip_interface):
        addresses = tuple(_IPV4.findall(text))
        if len(addresses) != len(_IPV4_LINE.findall(text)):
            return None
        found[name] = Addresses(addresses, _vrf_in(text))
    return found or None


def ipv6_addresses(show_ipv6_interface: str) -> dict[str, Addresses] | None:
    """Read `show ipv6 interface`. Link-local addresses are left out: IOS prints them without a length.

    An empty text means a device without IPv6.
    """
    found: dict[str, Addresses] = {}
    for name, text in _paragraphs(show_ipv6_interface):
        addresses = [_normal(address + length) for address, length in _IPV6.findall(text)]
        if None in addresses or len(addresses) != len(_IPV6_LINE.findall(text)):
            return None
        found[name] = Addresses(tuple(each for each in addresses if each), _vrf_in(text))
    return found if found or not show_ipv6_interface.strip() else None


def vrfs(show_vrf: str) -> list[Vrf] | None:
    """Read `show vrf`, or `show ip vrf`, which has no column of protocols: all its VRFs route IPv4."""
    lines = [line for line in show_vrf.replace("\r", "").split("\n") if line.strip()]
    if not lines:
        return []
    if not _VRF_HEADER.fullmatch(lines[0]):
        return None
    says_protocols = "Protocols" in lines[0]
    found: list[Vrf] = []
    for line in lines[1:]:
        row = _VRF_ROW.fullmatch(line)
        if row is not None:
            words = set(re.split(r"[\s,]+", row["rest"]))
            found.append(Vrf(row["name"], "ipv4" in words or not says_protocols, "ipv6" in words))
        elif not _VRF_MORE.fullmatch(line):
            return None
    return found


def ipv6_routes(show_ipv6_route: str, vrf: str | None = None) -> list[Route] | None:
    """Read `show ipv6 route`: it must give as many routes as the device itself counts."""
    if _NO_TABLE.match(show_ipv6_route) or not show_ipv6_route.strip():
        return []
    table = _TABLE.search(show_ipv6_route)
    if table is None:
        return None
    found: list[Route] = []
    for line in show_ipv6_route[table.end() :].replace("\r", "").split("\n"):
        if not line.strip() or _CODES.match(line):
            continue
        if (route := _ROUTE.fullmatch(line)) is not None:
            prefix = _normal(route["prefix"], of_network=True)
            if prefix is None:
                return None
            protocol = _PROTOCOLS.get(route["code"], route["code"])
            distance, metric = (int(text) if text else None for text in (route["distance"], route["metric"]))
            found.append(Route(prefix, protocol, distance=distance, metric=metric, vrf=vrf))
        elif (via := _VIA.fullmatch(line)) is not None and found:
            hops = (*found[-1].next_hops, *_hop(via["first"], via["second"]))
            found[-1] = replace(found[-1], next_hops=hops)
        else:
            return None
    return found if len(found) >= int(table[1]) else None


def _hop(first: str, second: str | None) -> tuple[NextHop, ...]:
    """Return the next hop; none for a route that drops packets."""
    if first.lower().startswith("null"):
        return ()
    # After the percent sign comes the VRF in which the address is looked up.
    address = _normal(first.partition("%")[0], with_length=False)
    interface = second if second and " " not in second and second != "receive" else None
    if address is None:
        return (NextHop(None, first),)
    if interface is not None and interface.lower().startswith("null"):
        return ()
    return (NextHop(None if address == "::" else address, interface),)


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    text = text.replace("\r", "")
    headers = list(_HEADER.finditer(text))
    for number, header in enumerate(headers, 1):
        end = headers[number].start() if number < len(headers) else None
        yield header[1], text[header.end() : end]


def _vrf_in(text: str) -> str | None:
    found = _VRF.search(text)
    return found[1] if found else None


def _normal(text: str, *, of_network: bool = False, with_length: bool = True) -> str | None:
    """Return an address in the form of all platforms, None for a text that is not an address."""
    try:
        if not with_length:
            return str(ipaddress.ip_address(text))
        if of_network:
            return str(ipaddress.ip_network(text, strict=False))
        return str(ipaddress.ip_interface(text))
    except ValueError:
        return None
