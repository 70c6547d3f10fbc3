"""The outputs of `show lldp neighbors` and `show cdp neighbors`: who is at the other end of the device's cables."""

from sdk.testing.devices.ios_device import IosDevice, IosInterface, Link

_LLDP_LINE = "-" * 48
_CDP_LINE = "-" * 25


def show_lldp_neighbors(device: IosDevice) -> str:
    """Return one row for each neighbour."""
    if "lldp run" not in device.lines:
        return "% LLDP is not enabled"
    row = "{:<20}{:<15}{:<11}{:<16}{}"
    lines = [
        "Capability codes:",
        "    (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device",
        "    (W) WLAN Access Point, (P) Repeater, (S) Station, (O) Other",
        "",
        row.format("Device ID", "Local Intf", "Hold-time", "Capability", "Port ID"),
    ]
    found = _heard(device, "lldp run")
    for interface, link in found:
        port = link.device.interfaces[link.interface].short_name
        lines.append(row.format(link.device.hostname[:20], interface.short_name, 120, "R", port))
    return "\n".join([*lines, "", f"Total entries displayed: {len(found)}", ""])


def show_lldp_neighbors_detail(device: IosDevice) -> str:
    """Return a paragraph for each neighbour."""
    if "lldp run" not in device.lines:
        return "% LLDP is not enabled"
    found = _heard(device, "lldp run")
    paragraphs = [_lldp_paragraph(interface, link) for interface, link in found]
    return "\n".join([*paragraphs, "", f"Total entries displayed: {len(found)}", ""])


def show_cdp_neighbors(device: IosDevice) -> str:
    """Return one row for each neighbour."""
    if "cdp run" not in device.lines:
        return "% CDP is not enabled"
    row = "{:<17}{:<15}{:<11}{:<12}{:<10}{}"
    lines = [
        "Capability Codes: R - Router, T - Trans Bridge, B - Source Route Bridge",
        "                  S - Switch, H - Host, I - IGMP, r - Repeater, P - Phone",
        "",
        row.format("Device ID", "Local Intrfce", "Holdtme", "Capability", "Platform", "Port ID"),
    ]
    found = _heard(device, "cdp run")
    for interface, link in found:
        local, port = (
            f"{each.name[:3]} {each.short_name[2:]}"
            for each in (interface, link.device.interfaces[link.interface])
        )
        lines.append(row.format(link.device.hostname[:16], local, 150, "R", "EMU1000", port))
    return "\n".join([*lines, "", f"Total cdp entries displayed : {len(found)}"])


def show_cdp_neighbors_detail(device: IosDevice) -> str:
    """Return a paragraph for each neighbour."""
    if "cdp run" not in device.lines:
        return "% CDP is not enabled"
    found = _heard(device, "cdp run")
    paragraphs = [_cdp_paragraph(interface, link) for interface, link in found]
    return "\n".join([*paragraphs, "", f"Total cdp entries displayed : {len(found)}"])


def _heard(device: IosDevice, protocol: str) -> list[tuple[IosInterface, Link]]:
    return [(interface, link) for interface, link in device.neighbors() if protocol in link.device.lines]


def _management_address(device: IosDevice) -> str | None:
    return device.interfaces["GigabitEthernet0/0"].address


def _lldp_paragraph(interface: IosInterface, link: Link) -> str:
    neighbor = link.device
    port = neighbor.interfaces[link.interface]
    address = _management_address(neighbor)
    return "\n".join(
        (
            _LLDP_LINE,
            f"Local Intf: {interface.short_name}",
            f"Chassis id: {neighbor.mac_address()}",
            f"Port id: {port.short_name}",
            f"Port Description: {port.description or port.name}",
            f"System Name: {neighbor.hostname}",
            "",
            "System Description: ",
            "Emulated IOS Software (EMULATED-IOS-M), Version 15.9(3)EMU1, RELEASE SOFTWARE (emu1)",
            "",
            "Time remaining: 101 seconds",
            "System Capabilities: B,R",
            "Enabled Capabilities: R",
            "Management Addresses" + (f":\n    IP: {address}" if address else " - not advertised"),
            "Auto Negotiation - supported, enabled",
            "Physical media capabilities:",
            "    1000baseT(FD)",
            "Media Attachment Unit type - not advertised",
            "Vlan ID: - not advertised",
            "",
        )
    )


def _cdp_paragraph(interface: IosInterface, link: Link) -> str:
    neighbor = link.device
    return "\n".join(
        (
            _CDP_LINE,
            f"Device ID: {neighbor.hostname}",
            "Entry address(es): ",
            f"  IP address: {_management_address(neighbor) or '0.0.0.0'}",  # noqa: S104  # nothing listens there
            "Platform: Cisco EMU1000,  Capabilities: Router ",
            f"Interface: {interface.name},  Port ID (outgoing port): {link.interface}",
            "Holdtime : 150 sec",
            "",
            "Version :",
            "Emulated IOS Software (EMULATED-IOS-M), Version 15.9(3)EMU1, RELEASE SOFTWARE (emu1)",
            "",
            "advertisement version: 2",
            "",
        )
    )
