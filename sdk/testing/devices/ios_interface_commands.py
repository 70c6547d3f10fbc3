"""The commands below `interface`."""

import ipaddress
from collections.abc import Callable
from typing import Final

from sdk.testing.devices.command_table import CommandLineError, CommandTable
from sdk.testing.devices.ios_device import IosInterface
from sdk.testing.devices.ios_state import Mode, SessionState

# Remembered unchanged. Each has at most one value, except those with an argument that tells several apart.
_SINGLE: Final = (
    "vrf forwarding",
    "mtu",
    "speed",
    "duplex",
    "bandwidth",
    "ip mtu",
    "ip ospf cost",
    "ip ospf network",
    "switchport mode",
)
_SEVERAL: Final = (
    "ipv6 address",
    "ip helper-address",
    "ip ospf",
    "switchport",
    "ip access-group",
    "standby",
    "channel-group",
)


def _on_interface(change: Callable[[IosInterface, str], str | None]) -> Callable[[SessionState, str], str]:
    """Make a command from a change to the interface that the session edits."""

    def action(state: SessionState, argument: str) -> str:
        assert state.interface is not None, "the table of this mode is used with an interface only"
        return change(state.interface, argument) or ""

    return action


def _set_address(interface: IosInterface, argument: str) -> str | None:
    words = argument.split()
    if len(words) < 2 or words[2:] not in ([], ["secondary"]):
        raise CommandLineError("% Incomplete command.")
    address, netmask = words[:2]
    try:
        ipaddress.IPv4Interface(f"{address}/{netmask}")
    except ValueError:
        return f"% Bad address or mask: {address} {netmask}"
    if len(words) == 2:
        interface.address, interface.netmask = address, netmask
    elif (line := f"ip address {address} {netmask} secondary") not in interface.lines:
        interface.lines.append(line)
    return None


def _clear_address(interface: IosInterface, argument: str) -> None:
    secondary = [line for line in interface.lines if line.startswith("ip address ")]
    if argument.endswith("secondary"):
        secondary = [line for line in secondary if line == f"ip address {argument}"]
    else:
        interface.address = interface.netmask = None
    interface.lines = [line for line in interface.lines if line not in secondary]


def _add_ipv6_address(interface: IosInterface, argument: str) -> str | None:
    try:
        ipaddress.IPv6Interface(argument)
    except ValueError:
        return f"% Invalid IPv6 address: {argument}"
    _add("ipv6 address")(interface, argument)
    return None


def _set_description(interface: IosInterface, argument: str) -> None:
    interface.description = argument


def _clear_description(interface: IosInterface, _argument: str) -> None:
    interface.description = None


def _shut(interface: IosInterface, _argument: str) -> None:
    interface.enabled = False


def _open(interface: IosInterface, _argument: str) -> None:
    interface.enabled = True


def _add(family: str) -> Callable[[IosInterface, str], None]:
    def change(interface: IosInterface, argument: str) -> None:
        line = f"{family} {argument}".strip()
        if family in _SINGLE:
            interface.lines = [other for other in interface.lines if not other.startswith(f"{family} ")]
        if line not in interface.lines:
            interface.lines.append(line)

    return change


def _take_out(family: str) -> Callable[[IosInterface, str], None]:
    def change(interface: IosInterface, argument: str) -> None:
        line = f"{family} {argument}".strip()
        interface.lines = [other for other in interface.lines if not f"{other} ".startswith(f"{line} ")]

    return change


def _exit(state: SessionState, _argument: str) -> str:
    state.enter(Mode.CONFIG)
    return ""


INTERFACE_COMMANDS: CommandTable[SessionState] = CommandTable(
    {
        "description ...": _on_interface(_set_description),
        "no description [...]": _on_interface(_clear_description),
        "ip address ...": _on_interface(_set_address),
        "no ip address [...]": _on_interface(_clear_address),
        "shutdown": _on_interface(_shut),
        "no shutdown": _on_interface(_open),
        **{f"{family} [...]": _on_interface(_add(family)) for family in (*_SINGLE, *_SEVERAL)},
        **{f"no {family} [...]": _on_interface(_take_out(family)) for family in (*_SINGLE, *_SEVERAL)},
        "ipv6 address ...": _on_interface(_add_ipv6_address),
        "exit": _exit,
    }
)
