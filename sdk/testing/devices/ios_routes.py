"""The routes of an emulated device: connected and static ones, and those of neighbours if both speak OSPF."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sdk.testing.devices.ios_device import IosDevice

_CODES = (
    "Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP",
    "       D - EIGRP, EX - EIGRP external, O - OSPF, IA - OSPF inter area",
    "",
)


@dataclass(frozen=True, slots=True)
class _Route:
    code: str
    network: ipaddress.IPv4Network
    text: str


def show_ip_route(device: IosDevice, vrf: str | None = None) -> str:
    """Return the routing table, the global one or a VRF's, grouped by the old classes of networks as on IOS."""
    if vrf is not None and f"vrf definition {vrf}" not in device.configuration.sections:
        return f"% IP routing table {vrf} does not exist"
    routes = {route.network: route for route in _routes(device, vrf)}
    default = routes.get(ipaddress.IPv4Network("0.0.0.0/0"))
    gateway = f"is {_gateway(default.text)} to network 0.0.0.0" if default else "is not set"
    above = [] if vrf is None else ["", f"Routing Table: {vrf}"]
    lines = [*above, *_CODES, f"Gateway of last resort {gateway}", ""]
    groups: dict[ipaddress.IPv4Network, list[_Route]] = defaultdict(list)
    for route in routes.values():
        groups[_class_of(route.network)].append(route)
    for group in sorted(groups):
        members = sorted(groups[group], key=lambda route: route.network)
        lines += _group(group, members)
    return "\n".join(lines)


def _group(group: ipaddress.IPv4Network, members: list[_Route]) -> list[str]:
    """Return the lines of one old class. If all its subnets have one mask, only the line above them shows it."""
    masks = {member.network.prefixlen for member in members}
    count = f"{len(members)} subnets"
    if len(masks) > 1:
        above = [f"      {group} is variably subnetted, {count}, {len(masks)} masks"]
    elif masks != {group.prefixlen}:
        (mask,) = masks
        above = [f"      {group.network_address}/{mask} is subnetted, {count}"]
        return above + [f"{each.code:<9}{each.network.network_address} {each.text}" for each in members]
    else:
        above = []
    return above + [f"{each.code:<9}{each.network} {each.text}" for each in members]


def _routes(device: IosDevice, vrf: str | None) -> Iterator[_Route]:
    if vrf is None and _speaks_ospf(device):
        for interface, link in device.neighbors():
            peer = link.device
            if _speaks_ospf(peer):
                via = peer.interfaces[link.interface].address
                for route in _connected(peer, None):
                    if route.code == "C":
                        text = f"[110/2] via {via}, 00:01:02, {interface.name}"
                        yield _Route("O", route.network, text)
    for line in device.lines:
        words = line.split()
        if words[2:3] == ["vrf"] and words[3:4] == [vrf]:
            del words[2:4]
        elif vrf is not None:
            continue
        if words[:2] == ["ip", "route"] and len(words) >= 5:
            try:
                network = ipaddress.IPv4Network(f"{words[2]}/{words[3]}")
            except ValueError:
                continue
            star = "*" if network.prefixlen == 0 else ""
            yield _Route(f"S{star}", network, _where_to(*words[4:6]))
    # The last entry counts: a connected network goes before all others.
    yield from _connected(device, vrf)


def _where_to(first: str, second: str = "") -> str:
    """Return where a static route leads: to an address, to an address behind an interface, or to an interface."""
    if _is_address(first):
        return f"[1/0] via {first}"
    return f"[1/0] via {second}, {first}" if _is_address(second) else f"is directly connected, {first}"


def _gateway(text: str) -> str:
    """Return the address that a default route leads to; for an interface IOS writes 0.0.0.0."""
    _, _, where_to = text.partition(" via ")
    return where_to.partition(",")[0] or "0.0.0.0"  # noqa: S104  # nothing listens there


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _connected(device: IosDevice, vrf: str | None) -> Iterator[_Route]:
    for interface in device.interfaces.values():
        for address in interface.ipv4 if interface.enabled and interface.vrf == vrf else ():
            text = f"is directly connected, {interface.name}"
            yield _Route("C", address.network, text)
            if address.network.prefixlen < 32:
                yield _Route("L", ipaddress.IPv4Network(address.ip), text)


def _speaks_ospf(device: IosDevice) -> bool:
    return any(header.startswith("router ospf ") for header in device.configuration.sections)


def _class_of(network: ipaddress.IPv4Network) -> ipaddress.IPv4Network:
    first = int(network.network_address) >> 24
    prefix = 0 if network.prefixlen == 0 else 8 if first < 128 else 16 if first < 192 else 24
    return network.supernet(new_prefix=prefix) if network.prefixlen > prefix else network
