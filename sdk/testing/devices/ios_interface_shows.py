"""The outputs of `show` commands about interfaces."""

import ipaddress

from sdk.testing.devices.ios_device import IosDevice, IosInterface


def show_ip_interface_brief(device: IosDevice) -> str:
    """Return one row for each interface: name, address, status, protocol."""
    row = "{:<23}{:<16}{:<4}{:<7}{:<22}{}"
    lines = [row.format("Interface", "IP-Address", "OK?", "Method", "Status", "Protocol")]
    for interface in device.interfaces.values():
        method = "manual" if interface.address else "unset"
        address = interface.address or "unassigned"
        lines.append(
            row.format(interface.name, address, "YES", method, _status(interface), _protocol(interface))
        )
    return "\n".join(lines)


def show_interfaces(device: IosDevice) -> str:
    """Return a paragraph for each interface."""
    return "\n".join(_paragraph(device, interface) for interface in device.interfaces.values())


def show_interfaces_description(device: IosDevice) -> str:
    """Return one row for each interface: name, status, protocol, description."""
    row = "{:<31}{:<15}{:<9}{}"
    lines = [row.format("Interface", "Status", "Protocol", "Description")]
    for interface in device.interfaces.values():
        status = "up" if interface.enabled else "admin down"
        description = interface.description or ""
        lines.append(row.format(interface.short_name, status, _protocol(interface), description).rstrip())
    return "\n".join(lines)


def show_interfaces_status(device: IosDevice) -> str:
    """Return one row for each interface that has a plug: name, description, link, VLAN, duplex, speed."""
    row = "{:<10}{:<19}{:<13}{:<11}{:>6}  {:>5} {}"
    lines = [row.format("Port", "Name", "Status", "Vlan", "Duplex", "Speed", "Type")]
    for interface in device.interfaces.values():
        if not interface.is_virtual:
            status = "connected" if interface.enabled else "disabled"
            name = (interface.description or "")[:18]
            lines.append(
                row.format(
                    interface.short_name, name, status, "routed", "a-full", "a-1000", "10/100/1000BaseTX"
                )
            )
    return "\n".join(lines)


def _status(interface: IosInterface) -> str:
    return "up" if interface.enabled else "administratively down"


def _protocol(interface: IosInterface) -> str:
    return "up" if interface.enabled else "down"


def _paragraph(device: IosDevice, interface: IosInterface) -> str:
    mac_address = f"{device.mac_address()[:-2]}{list(device.interfaces).index(interface.name):02x}"
    plug = "a Loopback" if interface.is_virtual else "iGbE"
    address = f", address is {mac_address} (bia {mac_address})" if not interface.is_virtual else ""
    lines = [
        f"{interface.name} is {_status(interface)}, line protocol is {_protocol(interface)}",
        f"  Hardware is {plug.removeprefix('a ')}{address}",
    ]
    if interface.description:
        lines.append(f"  Description: {interface.description}")
    if interface.address:
        length = ipaddress.IPv4Interface(f"{interface.address}/{interface.netmask}").network.prefixlen
        lines.append(f"  Internet address is {interface.address}/{length}")
    lines += [
        "  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec, ",
        "     reliability 255/255, txload 1/255, rxload 1/255",
        "  Encapsulation ARPA, loopback not set",
        "  Keepalive set (10 sec)",
    ]
    if not interface.is_virtual:
        lines.append("  Full Duplex, 1000Mbps, link type is auto, media type is RJ45")
    lines += [
        "  Last input 00:00:00, output 00:00:00, output hang never",
        "  Input queue: 0/75/0/0 (size/max/drops/flushes); Total output drops: 0",
        "  Queueing strategy: fifo",
        "  5 minute input rate 0 bits/sec, 0 packets/sec",
        "  5 minute output rate 0 bits/sec, 0 packets/sec",
        "     0 packets input, 0 bytes, 0 no buffer",
        "     0 runts, 0 giants, 0 throttles ",
        "     0 input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored",
        "     0 packets output, 0 bytes, 0 underruns",
        "     0 output errors, 0 collisions, 0 interface resets",
    ]
    return "\n".join(lines)
