"""Finds out the platform behind a session, with commands that change nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sdk.connection.deadline import Deadline
from sdk.connection.platforms import refusals
from sdk.connection.platforms.platform import DeviceSession, Platform
from sdk.connection.platforms.signatures import Recognition, recognize, recognize_shell

_NO_PAGES: Final = "terminal length 0"
_SHOW: Final = "show version"
_SHOW_UNPAGED: Final = "show version | no-more"
# ASA turns paging off by another command, which not every login may send. One line of output needs no pager.
_SHOW_ON_ASA: Final = "show version | include Adaptive"
_IN_SHELL: Final = "uname -s; cat /etc/os-release; vtysh -c 'show version'"
_NO_PAGES_ON_VRP: Final = "screen-length 0 temporary"
_NO_PAGES_ON_COMWARE: Final = "screen-length disable"
_DISPLAY: Final = "display version"
_BY_ASA: Final = re.compile(r"^\s*ERROR: %", re.MULTILINE)
_BY_AOSCX: Final = re.compile(r"\s*Invalid input: ")  # it knows no `| no-more`


@dataclass(frozen=True, slots=True)
class Detection:
    """What a login leads to.

    `platform` is a short name such as `ios`, None if unknown. `has_shell`: the login leads to the shell of an operating
    system. `evidence` is the line that showed it, or the last line that the device sent.
    """

    platform: str | None
    vendor: str | None
    software_release: str | None
    has_shell: bool
    evidence: str


class Unknown(Platform):
    """A device of an unknown platform: it gets only what a caller sends."""

    name = "unknown"
    netmiko_type = "generic"
    is_shell = True


def probe(session: DeviceSession, *, deadline: Deadline) -> Detection:
    """Find out what answers, by two to five lines. Most devices refuse most of them.

    Raises:
        DeviceError: the session failed. An unknown platform is no error.
    """

    def say(line: str) -> str:
        return session.send(line, deadline=deadline).text

    first = say(_NO_PAGES)
    if refusals.is_foreign_shell(first):
        output = say(_IN_SHELL)
        found = recognize(output) or recognize_shell(output)
        return _detection(found, output, has_shell=True)
    output = say(_show_after(first))
    found = None if refusals.is_refusal(output) else recognize(output)
    if refusals.is_refusal(output):
        if refusals.is_refusal(say(_NO_PAGES_ON_VRP)):
            say(_NO_PAGES_ON_COMWARE)
        output = say(_DISPLAY)
        found = recognize(output)
    return _detection(found, output, has_shell=False)


def _show_after(answer: str) -> str:
    """Return the line that asks for the version, for a device that gave this answer to `_NO_PAGES`."""
    if not refusals.is_refusal(answer) or _BY_AOSCX.match(answer):
        return _SHOW
    return _SHOW_ON_ASA if _BY_ASA.search(answer) else _SHOW_UNPAGED


def _detection(found: Recognition | None, output: str, *, has_shell: bool) -> Detection:
    if found is None:
        return Detection(None, None, None, has_shell, refusals.words_of(output))
    return Detection(found.platform, found.vendor, found.software_release, has_shell, found.evidence)
