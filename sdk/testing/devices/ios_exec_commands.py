"""The commands of the user and privileged modes."""

import secrets

from sdk.testing.devices import ios_confirmed_change as changes
from sdk.testing.devices import ios_shows
from sdk.testing.devices.command_table import CommandTable
from sdk.testing.devices.ios_interface_shows import (
    show_interfaces,
    show_interfaces_description,
    show_interfaces_status,
    show_ip_interface_brief,
)
from sdk.testing.devices.ios_ip_shows import (
    show_ip_interface,
    show_ipv6_interface,
    show_ipv6_route,
    show_vrf,
)
from sdk.testing.devices.ios_neighbor_shows import (
    show_cdp_neighbors,
    show_cdp_neighbors_detail,
    show_lldp_neighbors,
    show_lldp_neighbors_detail,
)
from sdk.testing.devices.ios_routes import show_ip_route
from sdk.testing.devices.ios_state import Mode, Question, SessionState


def _page_length(state: SessionState, argument: str) -> str:
    if not argument.isdecimal():
        return "% Invalid number of lines"
    state.page_lines = int(argument)
    return ""


def _ignore(_state: SessionState, _argument: str) -> str:
    # Line width: the emulated device never wraps, so any value is accepted.
    return ""


def _log_out(state: SessionState, _argument: str) -> str:
    state.closed = True
    return ""


_SECRET_TRIES = 3


def _check_secret(state: SessionState, answer: str, tries: int = _SECRET_TRIES) -> str:
    if secrets.compare_digest(answer.encode(), (state.device.enable_secret or "").encode()):
        state.mode = Mode.PRIVILEGED
        return ""
    if tries == 1:
        return "% Bad secrets\n"
    state.question = Question(
        "Password: ", lambda state, text: _check_secret(state, text, tries - 1), secret=True
    )
    return ""


def _enable(state: SessionState, _argument: str) -> str:
    if state.mode is Mode.USER and state.device.enable_secret is not None:
        state.question = Question("Password: ", _check_secret, secret=True)
    else:
        state.mode = Mode.PRIVILEGED
    return ""


def _disable(state: SessionState, _argument: str) -> str:
    state.mode = Mode.USER
    return ""


def _save(state: SessionState, _argument: str) -> str:
    state.device.save()
    return "Building configuration...\n[OK]"


def _copy(state: SessionState, argument: str) -> str:
    """`copy SOURCE TARGET`: asks for the target's name, as IOS does."""
    words = argument.split()
    if len(words) != 2:
        return "% Incomplete command."
    source, target = (_FILES.get(word, word) for word in words)
    text = state.device.file(source)
    if text is None:
        return f"%Error opening {source} (No such file or directory)"
    name = target.partition(":")[2] or target

    def answered(state: SessionState, answer: str) -> str:
        where = answer.strip() or name
        if target == "startup-config":
            if where != target:
                return f"%Error opening {where} (No such file or directory)"
            return _save(state, "")
        if target == "running-config":
            changes.merge(state, text)
        else:
            state.device.files[f"{target.partition(':')[0]}:{where}"] = text
        return f"\n{len(text)} bytes copied in 0.112 secs"

    state.question = Question(f"Destination filename [{name}]? ", answered)
    return ""


_FILES = {"run": "running-config", "start": "startup-config"}


def _clear_counters(state: SessionState, _argument: str) -> str:
    state.question = Question(
        'Clear "show interface" counters on all interfaces [confirm]',
        lambda _state, _key: "",
        takes_a_key=True,
    )
    return ""


_USER = {
    "show version": lambda state, _: ios_shows.show_version(state.device),
    "show clock": lambda _state, _: ios_shows.show_clock(),
    "show reload": lambda state, _: ios_shows.show_reload(state.device),
    "show interfaces": lambda state, _: show_interfaces(state.device),
    "show interfaces status": lambda state, _: show_interfaces_status(state.device),
    "show interfaces description": lambda state, _: show_interfaces_description(state.device),
    "show ip interface brief": lambda state, _: show_ip_interface_brief(state.device),
    "show ip route": lambda state, _: show_ip_route(state.device),
    "show ip route vrf ...": lambda state, vrf: show_ip_route(state.device, vrf),
    "show ip interface": lambda state, _: show_ip_interface(state.device),
    "show ipv6 interface": lambda state, _: show_ipv6_interface(state.device),
    "show ipv6 route": lambda state, _: show_ipv6_route(state.device),
    "show ipv6 route vrf ...": lambda state, vrf: show_ipv6_route(state.device, vrf),
    "show vrf": lambda state, _: show_vrf(state.device),
    "show lldp neighbors": lambda state, _: show_lldp_neighbors(state.device),
    "show lldp neighbors detail": lambda state, _: show_lldp_neighbors_detail(state.device),
    "show cdp neighbors": lambda state, _: show_cdp_neighbors(state.device),
    "show cdp neighbors detail": lambda state, _: show_cdp_neighbors_detail(state.device),
    "terminal length ...": _page_length,
    "terminal no length": lambda state, _: _page_length(state, "24"),
    "terminal width ...": _ignore,
    "enable": _enable,
    "disable": _disable,
    "exit": _log_out,
    "logout": _log_out,
    "quit": _log_out,
}

USER_COMMANDS: CommandTable[SessionState] = CommandTable(_USER)

PRIVILEGED_COMMANDS: CommandTable[SessionState] = CommandTable(
    {
        **_USER,
        "show running-config": lambda state, _: ios_shows.show_running_config(state.device),
        "show startup-config": lambda state, _: ios_shows.show_startup_config(state.device),
        "show archive": lambda state, _: ios_shows.show_archive(state.device),
        "configure terminal [...]": changes.start_configuring,
        "configure": changes.start_configuring,
        "configure confirm": changes.confirm,
        "configure revert now": changes.revert_now,
        "configure replace ...": changes.replace,
        "reload": changes.reload_now,
        "reload in ...": changes.reload_in,
        "reload cancel": changes.reload_cancel,
        "clear counters": _clear_counters,
        "write": _save,
        "write memory": _save,
        "copy ...": _copy,
    }
)
