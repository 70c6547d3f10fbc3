"""The commands of the configuration modes."""

import ipaddress
import re
from collections.abc import Callable

from sdk.testing.devices.grammar import REST, Command
from sdk.testing.devices.ios_device import IosInterface
from sdk.testing.devices.ios_state import Mode, SessionState

Arguments = tuple[str, ...]

# Global commands that the device only has to remember, in the words that begin them.
_REMEMBERED = ("ip domain name", "ip route", "logging host", "ntp server", "snmp-server")


def _end(state: SessionState, _arguments: Arguments) -> str:
    state.mode, state.interface = Mode.PRIVILEGED, None
    return ""


def _leave_interface(state: SessionState, _arguments: Arguments) -> str:
    state.mode, state.interface = Mode.CONFIG, None
    return ""


def _hostname(state: SessionState, arguments: Arguments) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,62}", arguments[0]):
        return "% Hostname contains one or more illegal characters."
    state.device.hostname = arguments[0]
    return ""


def _enter_interface(state: SessionState, arguments: Arguments) -> str:
    interface = state.device.interface(arguments[0])
    if interface is None:
        return f"% No such interface: {arguments[0]}"
    state.mode, state.interface = Mode.INTERFACE, interface
    return ""


def _remember(prefix: str) -> Callable[[SessionState, Arguments], str]:
    def action(state: SessionState, arguments: Arguments) -> str:
        line = f"{prefix} {arguments[0]}"
        if line not in state.device.lines:
            state.device.lines.append(line)
        return ""

    return action


def _forget(prefix: str) -> Callable[[SessionState, Arguments], str]:
    def action(state: SessionState, arguments: Arguments) -> str:
        line = f"{prefix} {arguments[0]}"
        if line in state.device.lines:
            state.device.lines.remove(line)
        return ""

    return action


def _on_interface(
    change: Callable[[IosInterface, Arguments], str | None],
) -> Callable[[SessionState, Arguments], str]:
    """Make a command out of a change to the interface that the session edits."""

    def action(state: SessionState, arguments: Arguments) -> str:
        assert state.interface is not None, "the table of this mode is used with an interface only"
        return change(state.interface, arguments) or ""

    return action


def _set_address(interface: IosInterface, arguments: Arguments) -> str | None:
    address, netmask = arguments
    try:
        ipaddress.IPv4Interface(f"{address}/{netmask}")
    except ValueError:
        return f"% Bad address or mask: {address} {netmask}"
    interface.address, interface.netmask = address, netmask
    return None


def _clear_address(interface: IosInterface, _arguments: Arguments) -> None:
    interface.address = interface.netmask = None


def _set_description(interface: IosInterface, arguments: Arguments) -> None:
    interface.description = arguments[0] if arguments else None


def _shut(interface: IosInterface, _arguments: Arguments) -> None:
    interface.enabled = False


def _open(interface: IosInterface, _arguments: Arguments) -> None:
    interface.enabled = True


CONFIG_COMMANDS: tuple[Command[SessionState], ...] = (
    Command("hostname <word>", _hostname),
    Command(f"interface {REST}", _enter_interface),
    Command("exit", _end),
    Command("end", _end),
    *(Command(f"{prefix} {REST}", _remember(prefix)) for prefix in _REMEMBERED),
    *(Command(f"no {prefix} {REST}", _forget(prefix)) for prefix in _REMEMBERED),
)

INTERFACE_COMMANDS: tuple[Command[SessionState], ...] = (
    Command(f"description {REST}", _on_interface(_set_description)),
    Command("no description", _on_interface(_set_description)),
    Command("ip address <word> <word>", _on_interface(_set_address)),
    Command("no ip address", _on_interface(_clear_address)),
    Command("shutdown", _on_interface(_shut)),
    Command("no shutdown", _on_interface(_open)),
    Command("exit", _leave_interface),
    Command("end", _end),
)
