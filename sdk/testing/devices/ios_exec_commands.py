"""The commands of the user and privileged modes."""

import secrets

from sdk.testing.devices import ios_shows
from sdk.testing.devices.grammar import Command
from sdk.testing.devices.ios_state import Mode, Question, SessionState

Arguments = tuple[str, ...]


def _quiet(_state: SessionState, _arguments: Arguments) -> str:
    # Paging and line width: the emulated device never pages and never wraps, so any value will do.
    return ""


def _log_out(state: SessionState, _arguments: Arguments) -> str:
    state.closed = True
    return ""


def _check_secret(state: SessionState, answer: str) -> str:
    if not secrets.compare_digest(answer.encode(), (state.device.enable_secret or "").encode()):
        return "% Bad secrets"
    state.mode = Mode.PRIVILEGED
    return ""


def _enable(state: SessionState, _arguments: Arguments) -> str:
    if state.mode is Mode.USER and state.device.enable_secret is not None:
        state.question = Question("Password: ", _check_secret, secret=True)
    else:
        state.mode = Mode.PRIVILEGED
    return ""


def _disable(state: SessionState, _arguments: Arguments) -> str:
    state.mode = Mode.USER
    return ""


def _configure(state: SessionState, _arguments: Arguments) -> str:
    state.mode = Mode.CONFIG
    return "Enter configuration commands, one per line.  End with CNTL/Z."


def _save(state: SessionState, _arguments: Arguments) -> str:
    state.device.startup_config = state.device.running_config()
    return "Building configuration...\n[OK]"


def _confirm_copy(state: SessionState, answer: str) -> str:
    if answer.strip() not in ("", "startup-config"):
        return f"%Error opening {answer.strip()} (No such file or directory)"
    return _save(state, ())


def _copy(state: SessionState, _arguments: Arguments) -> str:
    state.question = Question("Destination filename [startup-config]? ", _confirm_copy)
    return ""


USER_COMMANDS: tuple[Command[SessionState], ...] = (
    Command("show version", lambda state, _: ios_shows.show_version(state.device)),
    Command("show ip interface brief", lambda state, _: ios_shows.show_ip_interface_brief(state.device)),
    Command("show clock", lambda _state, _: ios_shows.show_clock()),
    Command("terminal length <word>", _quiet),
    Command("terminal width <word>", _quiet),
    Command("enable", _enable),
    Command("disable", _disable),
    Command("exit", _log_out),
    Command("logout", _log_out),
    Command("quit", _log_out),
)

PRIVILEGED_COMMANDS: tuple[Command[SessionState], ...] = (
    *USER_COMMANDS,
    Command("show running-config", lambda state, _: ios_shows.show_running_config(state.device)),
    Command("show startup-config", lambda state, _: ios_shows.show_startup_config(state.device)),
    Command("configure terminal", _configure),
    Command("write memory", _save),
    Command("write", _save),
    Command("copy running-config startup-config", _copy),
)
