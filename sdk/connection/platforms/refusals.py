"""How devices refuse: the command line refuses a command, or a shell does not know it. Pure functions."""

from __future__ import annotations

import re
from typing import Final

# In the words of IOS, IOS XR, EOS, NX-OS, FRR, Junos, VRP, Comware and others; with `ERROR:` before it, ASA.
GENERAL: Final = re.compile(
    r"^\s*((?:error:\s*)?%\s*(invalid|incomplete|ambiguous|unknown|unrecognized|command incomplete"
    r"|there is no matched|unavailable command|wrong parameter found|too many parameters found"
    r"|this command is not authorized)\b"
    r"|syntax error\b|unknown command\b"
    r"|error:\s*(unrecognized|ambiguous|wrong|incomplete|too many parameters|bad command)\b"
    r"|%\s*(permission denied|authorization (failed|denied)|command authorization failed)\b"
    r"|command authorization failed\.?[ \t]*$"
    # FortiOS, RouterOS, SR Linux and PAN-OS.
    r"|command parse error before\b|command fail\. return code\b|parsing error: unknown token\b"
    r"|(bad command name \S+|expected end of command) \(line\b|invalid syntax\.?[ \t]*$)"
    # AOS-CX and ProCurve print only this. Beside other lines, or with a number, it is a counter.
    r"|\A\s*(invalid|ambiguous|incomplete) input: (?!\d+\s*\Z).*\s*\Z",
    re.IGNORECASE | re.MULTILINE,
)

# bash, dash, busybox, zsh, fish and tcsh; and what Ubuntu puts in the place of their words, which says what to install.
SHELL: Final = re.compile(
    r"^\S*sh: .*(not found|unknown command|: no such file or directory)|^\S*sh: command not found: "
    r"|^\S+: command not found\.?\s*$|^command '\S+' not found, (?:but |did you mean)",
    re.IGNORECASE | re.MULTILINE,
)

# A refusal is short. A log that quotes a refusal is longer.
_MOST_LINES = 8


def is_refusal(output: str, pattern: re.Pattern[str] = GENERAL) -> bool:
    """Whether an output is a refusal of the command."""
    return _is_short(output) and pattern.search(output) is not None


def is_foreign_shell(output: str) -> bool:
    """Whether the shell of an operating system has answered because it does not know the command."""
    return _is_short(output) and SHELL.search(output) is not None


def words_of(output: str, pattern: re.Pattern[str] = GENERAL) -> str:
    """Return the line in which the device refuses, or the last line that has words."""
    lines = [line.strip() for line in output.splitlines() if line.strip(" ^\t\r")]
    said = [line for line in lines if pattern.search(line) or SHELL.search(line)]
    return (said or lines or [""])[-1]


def _is_short(output: str) -> bool:
    return len(output.strip().splitlines()) <= _MOST_LINES
