"""The outputs of `show` commands about the whole device: our own wording, in a layout that templates accept."""

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


def show_running_config(device: IosDevice) -> str:
    """Return the running configuration, with the lines above it that change by themselves."""
    config = device.running_config()
    changed = ""
    if device.changed is not None:
        when, user = device.changed
        changed = (
            f"!\n! Last configuration change at {_clock(datetime.fromtimestamp(when, tz=UTC))} by {user}\n"
        )
    return f"Building configuration...\n\nCurrent configuration : {len(config)} bytes\n{changed}{config}"


def show_startup_config(device: IosDevice) -> str:
    """Return the saved configuration, or what IOS says if none was ever saved."""
    return device.startup_config or "startup-config is not present"


def show_archive(device: IosDevice) -> str:
    """Return the names of the saved files."""
    lines = ["The maximum archive configurations allowed is 10.", " Archive #  Name"]
    lines += [f"   {number:<9}{name}" for number, name in enumerate(sorted(device.files), 1)]
    return "\n".join(lines)


def show_reload(device: IosDevice) -> str:
    """Return when the device will restart, in its own minutes."""
    timer = device.reload_timer
    if timer is None:
        return "No reload is scheduled."
    left = max(0, int((timer.due_monotonic - time.monotonic()) * 60 / device.minute_seconds))
    return f"Reload scheduled in {left // 60} minutes and {left % 60} seconds by vty0"


def show_clock() -> str:
    """Return the time of this machine in UTC, to the millisecond."""
    now = datetime.now(tz=UTC)
    return f"{now:%H:%M:%S}.{now.microsecond // 1000:03d} UTC {now:%a %b %d %Y}"


def _clock(when: datetime) -> str:
    return f"{when:%H:%M:%S} UTC {when:%a %b %d %Y}"
