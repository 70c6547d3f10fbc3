"""The routes of an emulated device: connected and static ones, and what neighbours tell that both speak OSPF."""

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


def show_ip_route(device: IosDevice) -> str:
    """Return the routing table, grouped by the old classes of networks as IOS does."""
    routes = {route.network: route for route in _routes(device)}
    default = routes.get(ipaddress.IPv4Network("0.0.0.0/0"))
    gateway = f"is {default.text.split()[-1]} to network 0.0.0.0" if default else "is not set"
    lines = [*_CODES, f"Gateway of last resort {gateway}", ""]
    groups: dict[ipaddress.IPv4Network, list[_Route]] = defaultdict(list)
    for route in routes.values():
        groups[_class_of(route.network)].append(route)
    for group in sorted(groups):
        members = sorted(groups[group], key=lambda route: route.network)
        lines += _group(group, members)
    return "\n".join(lines)


def _group(group: ipaddress.IPv4Network, members: list[_Route]) -> list[str]:
    """Return the lines of one old class. Where all its subnets have one mask, only the line above them has it."""
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


def _routes(device: IosDevice) -> Iterator[_Route]:
    if _speaks_ospf(device):
        for interface, link in device.neighbors():
            peer = link.device
            if _speaks_ospf(peer):
                via = peer.interfaces[link.interface].address
                for route in _connected(peer):
                    if route.code == "C":
                        text = f"[110/2] via {via}, 00:01:02, {interface.name}"
                        yield _Route("O", route.network, text)
    for line in device.lines:
        words = line.split()
        if words[:2] == ["ip", "route"] and len(words) >= 5:
            try:
                network = ipaddress.IPv4Network(f"{words[2]}/{words[3]}")
            except ValueError:
                continue
            star = "*" if network.prefixlen == 0 else ""
            yield _Route(f"S{star}", network, f"[1/0] via {words[4]}")
    # The last word counts: nothing is nearer than what is connected.
    yield from _connected(device)


def _connected(device: IosDevice) -> Iterator[_Route]:
    for interface in device.interfaces.values():
        if interface.enabled and interface.address:
            address = ipaddress.IPv4Interface(f"{interface.address}/{interface.netmask}")
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
