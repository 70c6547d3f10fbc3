"""The commands of the configuration modes, and how a line finds its mode."""

import re
from collections.abc import Callable

from sdk.testing.devices.command_table import CommandTable, InvalidInputError
from sdk.testing.devices.ios_configuration import GLOBAL_LINES
from sdk.testing.devices.ios_interface_commands import INTERFACE_COMMANDS
from sdk.testing.devices.ios_section_commands import SECTION_COMMANDS, SECTION_TABLES
from sdk.testing.devices.ios_state import YES, Mode, Question, SessionState

_BANNERS = ("motd", "login", "exec")
_SINGLE = ("ip domain name", "lldp run", "cdp run")


def configure(state: SessionState, line: str) -> str:
    """Run one line of a configuration mode. Return what the device says: nothing if it accepts the line.

    A global command leaves the section, as on IOS.

    Raises:
        CommandLineError: no such command here.
    """
    table = INTERFACE_COMMANDS if state.mode is Mode.INTERFACE else SECTION_TABLES.get(state.mode, _GLOBAL)
    try:
        action, argument = table.find(line)
    except InvalidInputError:
        if table is _GLOBAL:
            raise
        action, argument = _GLOBAL.find(line)
        state.enter(Mode.CONFIG)
    before = state.device.running_config()
    answer = action(state, argument)
    if state.device.running_config() != before:
        state.device.note_change(state.user)
    return answer


def _end(state: SessionState, _argument: str) -> str:
    state.enter(Mode.PRIVILEGED)
    return ""


def _exit(state: SessionState, _argument: str) -> str:
    state.enter(Mode.PRIVILEGED if state.mode is Mode.CONFIG else Mode.CONFIG)
    return ""


def _hostname(state: SessionState, argument: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,62}", argument):
        return "% Hostname contains one or more illegal characters."
    state.device.configuration.hostname = argument
    return ""


def _no_hostname(state: SessionState, _argument: str) -> str:
    state.device.configuration.hostname = "Router"
    return ""


def _enter_interface(state: SessionState, argument: str) -> str:
    interface = state.device.interface(argument)
    if interface is None:
        return f"% No such interface: {argument}"
    state.enter(Mode.INTERFACE, interface=interface)
    return ""


def _remove_interface(state: SessionState, argument: str) -> str:
    interface = state.device.interface(argument)
    if interface is None:
        return f"% No such interface: {argument}"
    if not interface.is_virtual:
        return "% Removal of physical interfaces is not permitted"
    del state.device.interfaces[interface.name]
    return ""


def _remember(family: str) -> Callable[[SessionState, str], str]:
    def action(state: SessionState, argument: str) -> str:
        lines = state.device.lines
        line = f"{family} {argument}".strip()
        if family in _SINGLE:
            lines[:] = [other for other in lines if not other.startswith(family)]
        if line not in lines:
            lines.append(line)
        return ""

    return action


def _forget(family: str) -> Callable[[SessionState, str], str]:
    def action(state: SessionState, argument: str) -> str:
        line = f"{family} {argument}".strip()
        lines = state.device.lines
        kept = [other for other in lines if not f"{other} ".startswith(f"{line} ")]
        if len(kept) == len(lines) and family == "ip route":
            return "%No matching route to delete"
        lines[:] = kept
        return ""

    return action


def _banner(state: SessionState, argument: str) -> str:
    """`banner motd ~…~`: the text between the two signs, on this line or on the next ones."""
    kind, _, rest = argument.partition(" ")
    if kind not in _BANNERS or not rest:
        return "% Incomplete command."
    sign, rest = rest[0], rest[1:]
    content, found, _ = rest.partition(sign)
    if found:
        return _set_banner(state, kind, content)
    said = [content]

    def answered(state: SessionState, line: str) -> str:
        content, found, _ = line.partition(sign)
        said.append(content)
        if found:
            return _set_banner(state, kind, "\n".join(said))
        state.question = Question("", answered)
        return ""

    state.question = Question("", answered)
    return f"Enter TEXT message.  End with the character '{sign}'."


def _set_banner(state: SessionState, kind: str, content: str) -> str:
    lines = state.device.lines
    lines[:] = [line for line in lines if not line.startswith(f"banner {kind} ")]
    lines.append(f"banner {kind} ^C{content}^C")
    state.device.note_change(state.user)
    return ""


def _username(state: SessionState, argument: str) -> str:
    name = argument.split()[0]
    _remove_user(state, name)
    state.device.lines.append(f"username {argument}")
    return ""


def _no_username(state: SessionState, argument: str) -> str:
    """`no username NAME …`: asks first, whatever comes after the name."""
    name = argument.split()[0]

    def answered(state: SessionState, key: str) -> str:
        if key in YES:
            _remove_user(state, name)
            state.device.note_change(state.user)
        return ""

    if not any(f"{line} ".startswith(f"username {name} ") for line in state.device.lines):
        return ""
    text = "This operation will remove all username related configurations with same name.Do you want to continue? "
    state.question = Question(f"{text}[confirm]", answered, takes_a_key=True)
    return ""


def _remove_user(state: SessionState, name: str) -> None:
    lines = state.device.lines
    lines[:] = [line for line in lines if not f"{line} ".startswith(f"username {name} ")]


def _zeroize(state: SessionState, _argument: str) -> str:
    """`crypto key zeroize rsa`: asks first, and has no keys."""
    state.question = Question("Do you really want to remove these keys? [yes/no]: ", lambda _state, _line: "")
    return "% All keys will be removed."


def _ignore(_state: SessionState, _argument: str) -> str:
    """Accept a line of a printed configuration that changes nothing here."""
    return ""


_GLOBAL: CommandTable[SessionState] = CommandTable(
    {
        "hostname ...": _hostname,
        "no hostname [...]": _no_hostname,
        "interface ...": _enter_interface,
        "no interface ...": _remove_interface,
        **SECTION_COMMANDS,
        **{f"{family} [...]": _remember(family) for family in GLOBAL_LINES},
        **{f"no {family} [...]": _forget(family) for family in GLOBAL_LINES},
        "banner ...": _banner,
        "username ...": _username,
        "no username ...": _no_username,
        "crypto key zeroize rsa": _zeroize,
        "version ...": _ignore,
        "archive": _ignore,
        "path ...": _ignore,
        "enable secret ...": _ignore,
        "exit": _exit,
        "end": _end,
    }
)
