"""The outputs of the `show` commands: our own wording, in a layout that TextFSM templates accept."""

import time
from datetime import UTC, datetime

from sdk.testing.devices.ios_device import IosDevice


def show_version(device: IosDevice) -> str:
    """Return model, software release, serial number and the real uptime of the emulation."""
    minutes = int(time.monotonic() - device.started_monotonic) // 60
    return "\n".join(
        (
            "Emulated IOS Software (EMULATED-IOS-M), Version 15.9(3)EMU1, RELEASE SOFTWARE (emu1)",
            "This is an emulated device of a test suite. There is no router behind it.",
            "",
            "ROM: EMULATED-BOOT",
            "",
            f"{device.hostname} uptime is {minutes} minutes",
            "System returned to ROM by power-on",
            'System image file is "flash0:emulated-ios.bin"',
            "",
            "Cisco EMU1000 (emulated) processor with 524288K/65536K bytes of memory.",
            f"Processor board ID {device.serial}",
            f"{len(device.interfaces)} interfaces",
            "",
            "Configuration register is 0x2102",
        )
    )


def show_ip_interface_brief(device: IosDevice) -> str:
    """Return one row for each interface: name, address, status, protocol."""
    row = "{:<23}{:<16}{:<4}{:<7}{:<22}{}"
    lines = [row.format("Interface", "IP-Address", "OK?", "Method", "Status", "Protocol")]
    for interface in device.interfaces.values():
        status = "up" if interface.enabled else "administratively down"
        protocol = "up" if interface.enabled else "down"
        method = "manual" if interface.address else "unset"
        address = interface.address or "unassigned"
        lines.append(row.format(interface.name, address, "YES", method, status, protocol))
    return "\n".join(lines)


def show_running_config(device: IosDevice) -> str:
    """Return the configuration in force, with the two lines that stand above it."""
    config = device.running_config()
    return f"Building configuration...\n\nCurrent configuration : {len(config)} bytes\n{config}"


def show_startup_config(device: IosDevice) -> str:
    """Return the saved configuration, or what IOS says when none was ever saved."""
    return device.startup_config or "startup-config is not present"


def show_clock() -> str:
    """Return the time of this machine in UTC, to the millisecond."""
    now = datetime.now(tz=UTC)
    return f"{now:%H:%M:%S}.{now.microsecond // 1000:03d} UTC {now:%a %b %d %Y}"
