"""The outputs of `show` commands about addresses, VRFs and IPv6 routes."""

import ipaddress
from collections.abc import Iterator

from sdk.testing.devices.ios_device import IosDevice, IosInterface

_CODES = (
    "Codes: C - Connected, L - Local, S - Static, U - Per-user Static route",
    "       B - BGP, R - RIP, I1 - ISIS L1, I2 - ISIS L2",
    "       O - OSPF Intra, OI - OSPF Inter, OE1 - OSPF ext 1, OE2 - OSPF ext 2",
)


def show_ip_interface(device: IosDevice) -> str:
    """Return a paragraph for each interface: its IPv4 addresses, and its VRF."""
    lines: list[str] = []
    for interface in device.interfaces.values():
        lines.append(_header(interface))
        if not interface.ipv4:
            lines.append("  Internet protocol processing disabled")
            continue
        first, *others = interface.ipv4
        lines += [f"  Internet address is {first.with_prefixlen}", "  Broadcast address is 255.255.255.255"]
        lines += [
            "  Address determined by setup command",
            "  MTU is 1500 bytes",
            "  Helper address is not set",
        ]
        lines += ["  Directed broadcast forwarding is disabled"]
        lines += [f"  Secondary address {each.with_prefixlen}" for each in others]
        lines += ["  Outgoing access list is not set", "  Inbound  access list is not set"]
        lines += ["  Proxy ARP is enabled", *_vrf_line(interface)]
    return "\n".join(lines)


def show_ipv6_interface(device: IosDevice) -> str:
    """Return a paragraph for each interface with an IPv6 address; nothing if there is none."""
    lines: list[str] = []
    for interface in device.interfaces.values():
        if interface.ipv6:
            lines += [_header(interface), "  IPv6 is enabled, link-local address is FE80::5EFF:FE00:101 "]
            lines += ["  No Virtual link-local address(es):", "  Global unicast address(es):"]
            for each in interface.ipv6:
                network = f"{each.network}".upper()
                lines.append(f"    {str(each.ip).upper()}, subnet is {network} ")
            lines += ["  Joined group address(es):", "    FF02::1", "    FF02::2", *_vrf_line(interface)]
            lines += ["  MTU is 1500 bytes", "  ICMP redirects are enabled"]
    return "\n".join(lines)


def show_vrf(device: IosDevice) -> str:
    """Return one row for each VRF: name, route distinguisher, protocols, interfaces."""
    row = "  {:<33}{:<22}{:<12}{}"
    lines = [row.format("Name", "Default RD", "Protocols", "Interfaces")]
    for header, section in device.configuration.sections.items():
        if header.startswith("vrf definition "):
            name = header.split()[-1]
            rd = next((line.split()[-1] for line in section if line.startswith("rd ")), "<not set>")
            protocols = ",".join(line.split()[-1] for line in section if line.startswith("address-family "))
            first, *others = [each.short_name for each in device.interfaces.values() if each.vrf == name] or [
                ""
            ]
            lines.append(row.format(name, rd, protocols, first).rstrip())
            lines += [row.format("", "", "", other) for other in others]
    return "\n".join(lines)


def show_ipv6_route(device: IosDevice, vrf: str | None = None) -> str:
    """Return the IPv6 routing table, the global one or a VRF's."""
    if vrf is not None and f"vrf definition {vrf}" not in device.configuration.sections:
        return f"% IPv6 routing table {vrf} does not exist"
    routes = list(_ipv6_routes(device, vrf))
    lines = [f"IPv6 Routing Table - {vrf or 'default'} - {len(routes)} entries", *_CODES]
    for code, network, via in routes:
        numbers = "[1/0]" if code == "S" else "[0/0]"
        lines += [f"{code:<4}{str(network).upper()} {numbers}", f"     via {via}"]
    return "\n".join(lines)


def _ipv6_routes(device: IosDevice, vrf: str | None) -> Iterator[tuple[str, ipaddress.IPv6Network, str]]:
    for line in device.lines:
        words = line.split()
        if words[2:3] == ["vrf"] and words[3:4] == [vrf]:
            del words[2:4]
        elif vrf is not None:
            continue
        if words[:2] == ["ipv6", "route"] and len(words) >= 4:
            try:
                network = ipaddress.IPv6Network(words[2])
            except ValueError:  # not a prefix: the device remembers each line that begins so, also with a VRF
                continue
            yield "S", network, words[3].upper()
    for interface in device.interfaces.values():
        for each in interface.ipv6 if interface.enabled and interface.vrf == vrf else ():
            yield "C", each.network, f"{interface.name}, directly connected"
            yield "L", ipaddress.IPv6Network(each.ip), f"{interface.name}, receive"
    yield "L", ipaddress.IPv6Network("ff00::/8"), "Null0, receive"


def _header(interface: IosInterface) -> str:
    status = "up" if interface.enabled else "administratively down"
    return f"{interface.name} is {status}, line protocol is {'up' if interface.enabled else 'down'}"


def _vrf_line(interface: IosInterface) -> list[str]:
    return [] if interface.vrf is None else [f'  VPN Routing/Forwarding "{interface.vrf}"']
