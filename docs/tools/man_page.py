"""The manual page supervisor(1), from the parsers of the commands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from supervisor.commands.completion.flags import CommandFlags, Flag, all_commands
from supervisor.settings.groups import SETTING_GROUPS
from supervisor.settings.run_settings import ENV_PREFIX
from supervisor.worker.control_socket.exit_codes import MEANINGS

MAN_FILE = "supervisor.1"


def render_man_page() -> str:
    """Return the page as roff (man(7))."""
    daemon, *commands = all_commands()
    lines = [
        '.\\" Written by `make docs` from what the commands read; changes here are lost.',
        ".TH SUPERVISOR 1",
        ".SH NAME",
        "supervisor \\- run jobs of a neops workflow engine, each in a process of its own",
        ".SH SYNOPSIS",
        ".B supervisor",
        "[\\fIflag\\fR ...]",
        ".br",
        ".B supervisor",
        "\\fIcommand\\fR [\\fIflag\\fR ...]",
        ".SH DESCRIPTION",
        _text(daemon.description),
        ".PP",
        _text(
            f"Every flag of the daemon can be given in the environment as {ENV_PREFIX} + its name, or in a file .env."
        ),
        ".SH COMMANDS",
    ]
    for command in commands:
        lines += [".TP", f"\\fBsupervisor {_escaped(command.name)}\\fR", _text(f"{command.summary}.")]
    lines += [".SH FLAGS OF THE DAEMON", *_flags(daemon)]
    for command in commands:
        lines += [f".SH {_heading(command)}", _text(command.description), *_own_flags(command, daemon)]
    lines += [".SH EXIT STATUS", "Of the commands that ask a running worker:"]
    for code, meaning in MEANINGS.items():
        lines += [".TP", f"\\fB{code}\\fR", _text(meaning)]
    return "\n".join(lines) + "\n"


def _heading(command: CommandFlags) -> str:
    return _escaped(" ".join(("supervisor", command.name, *command.arguments)).upper())


def _own_flags(command: CommandFlags, daemon: CommandFlags) -> Iterator[str]:
    shared = {flag.names for flag in daemon.flags}
    yield from (line for flag in command.flags if flag.names not in shared for line in _flag(flag))
    if len([flag for flag in command.flags if flag.names in shared]) > 1:
        names = ", ".join(flag.names[-1] for flag in command.flags if flag.names in shared)
        yield ".PP"
        yield _text(f"As for the daemon: {names}.")


def _flags(command: CommandFlags) -> Iterator[str]:
    """Yield the daemon's flags, those of each group below its title."""
    flags = {flag.names[0].lstrip("-").replace("-", "_"): flag for flag in command.flags}
    for title, names in SETTING_GROUPS.items():
        yield f".SS {_escaped(title)}"
        for name in names:
            yield from _flag(flags.pop(name))
    if flags:
        yield ".SS Others"
        for flag in flags.values():
            yield from _flag(flag)


def _flag(flag: Flag) -> Iterator[str]:
    names = ", ".join(f"\\fB{_escaped(name)}\\fR" for name in flag.names)
    value = f" \\fI{_escaped(flag.metavar)}\\fR" if flag.metavar else ""
    yield ".TP"
    yield names + value
    yield _text(flag.help)


def _text(text: str) -> str:
    plain = re.sub(r"`([^`]*)`", r"\1", " ".join(text.split()))
    escaped = _escaped(plain)
    # A dot or an apostrophe at the beginning of a line would be a request.
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")
