"""Configuration lines that are typed one by one into configuration mode, as on IOS and vtysh."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from sdk.connection.causes import Cause
from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.lines import ConfigurationLine, TypedLine
from sdk.connection.deadline import Deadline
from sdk.connection.errors import fail
from sdk.connection.platforms.platform import Platform
from sdk.connection.platforms.refusals import words_of

# A line of the system's log (a supervisor's: %LINEPROTO-SP-5-UPDOWN:) may come at any moment. A warning says that the
# line was accepted.
_REFUSAL: Final = re.compile(
    r"^\s*%(?![A-Z0-9_]+(?:-[A-Z0-9_]+){0,3}-\d-[A-Z0-9_]+:)"
    r"(?!\s*(?:warning|note|info|portfast (?:has been|will be)|generating|the key modulus|created"
    r"|not all config may be removed))"
    # An interface that moves to a VRF, or out of one, loses its addresses. The device says so.
    r"(?!\s*interface \S+ [^\n]{0,80}\bremoved due to (?:en|dis)abling vrf )"
    # A VLAN that is created for the port, addresses that go with their VRF, and advice about an accepted line.
    r"(?!\s*\w+ vlan does not exist\. creating vlan )"
    r"(?!\s*ip\S*(?: and ip\S*)? addresses from all interfaces in vrf \S+ have been removed)"
    r"(?!\s*(?:ospf: reference bandwidth is changed|only classful networks will be redistributed"
    r"|login disabled on line|all bgp sessions must be reset to take |applying vlan changes may take "
    r"|a profile is deemed incomplete until |ospf will not operate on this interface until ip is configured"
    r"|use 'write' command to make license boot config take effect |ospf: reload or use "
    r"|default route without gateway, |no specific protocol configured in class \S+ for inspection"
    # Of all traps, IOS leaves one out, because another one excludes it.
    r"|cannot enable both sham-link state-change interface traps|new sham link interface trap not enabled))"
    r"|^\s*(?:malformed|syntax error|error type:|command authorization failed|command rejected|bad mask"
    r"|access-list type conflicts|entry already running|vtp vlan configuration not allowed"
    r"|bgp is already running; as is)\b",
    re.IGNORECASE | re.MULTILINE,
)
# What IOS says as a section is left, which it makes only then, may as well be that this takes its time.
_SECTION_FAILED: Final = re.compile(
    r"\b(?:fail(?:ed|ure)?|error|not allowed|not permitted|rejected|denied|invalid|unable|can(?:no|')t)\b",
    re.IGNORECASE,
)
_MODE: Final = re.compile(r"\((config[^()]*)\)\s*#\s*$")
# Not all prompts begin with the word: `(dhcp-config)#`.
_IN_ANY_MODE: Final = re.compile(r"\([^()]+\)\s*#\s*$")
_ENTER: Final = "configure terminal"
_SHOWN_LINES: Final = 4
_OUTERMOST: Final = "config"


def refusal_in(text: str) -> str:
    """Return the words with which a device refuses a configuration line, "" if it accepted the line."""
    match = _REFUSAL.search(text)
    if match is None:
        return ""
    # FRR explains the refusal in the lines below the first.
    said = [line.strip() for line in text[match.start() :].splitlines()]
    return " ".join([line for line in said if line][:_SHOWN_LINES])


def section_refusal_in(text: str) -> str:
    """Return the words by which a device says, as a section is left, that it has not made it; "" where it has."""
    words = refusal_in(text)
    return words if _SECTION_FAILED.search(words) else ""


class TypedConfiguration(Platform):
    """Sends each line to its section. On the way it leaves and enters sections as a person would.

    A `TypedLine` is sent in the section where the device is: another line must leave that section.
    """

    dialect: ClassVar[Dialect]
    _path: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The device's name in messages."""
        return self.session.where

    @property
    def is_in_configuration(self) -> bool:
        """Whether the prompt is a prompt of configuration mode."""
        return self._mode() is not None

    def enter_configuration(self, *, deadline: Deadline) -> None:
        """Enter configuration mode. Raises `RefusedCommandError` if the account may not."""
        self._path = ()
        reply = self.session.send(_ENTER, deadline=deadline)
        if not self.is_in_configuration:
            raise fail(Cause.REFUSED_COMMAND, self.where, what=_ENTER, last_line=words_of(reply.text))

    def send_config_line(self, line: ConfigurationLine, *, deadline: Deadline) -> str:
        """Type one line in its section. Return the device's words if it refuses the line or its section."""
        if isinstance(line, TypedLine):
            return self._type_here(line.text, deadline)
        self.leave_sections(line, deadline=deadline)
        words = self._enter_sections(line.parents, deadline)
        return words or self._type(line.text, deadline)

    def leave_sections(self, line: ConfigurationLine, *, deadline: Deadline) -> str:
        """Leave the sections that a line does not stand in. Return the words of the device if it refuses one."""
        if isinstance(line, TypedLine):
            return ""
        said: list[str] = []
        while self._path != line.parents[: len(self._path)]:
            said.append(self.session.send("exit", deadline=deadline).text)
            self._path = self._path[:-1]
        return section_refusal_in("\n".join(said))

    def leave_configuration(self, *, deadline: Deadline) -> str:
        """Leave configuration mode. Return the words of the device if it refuses a section."""
        self._path = ()
        return section_refusal_in(self.session.send("end", deadline=deadline).text)

    def _type_here(self, text: str, deadline: Deadline) -> str:
        """Type one line in the present section. Lines after `end`, or after one `exit` too many, are global."""
        if text in ("exit", "quit") and self._mode() == _OUTERMOST:
            return ""
        if text == "end":
            words = self.leave_configuration(deadline=deadline)
            self.enter_configuration(deadline=deadline)
            return words
        words = self._type(text, deadline)
        if not _IN_ANY_MODE.search(self.session.prompt):  # the next line would be a command
            return words or "it leaves the configuration mode"
        return words

    def _enter_sections(self, parents: tuple[str, ...], deadline: Deadline) -> str:
        for header in parents[len(self._path) :]:
            words = self._type(header, deadline)
            if words:
                return words
            # If a header opened no section, the lines below it would go to the wrong place.
            if self._path[-1:] != (header,):
                return f"{header!r} opens no section"
        return ""

    def _type(self, text: str, deadline: Deadline) -> str:
        before = self._mode()
        words = self._send(text, deadline)
        if self._mode() != before:
            self._path = (*self._path, text)
        return words

    def _send(self, text: str, deadline: Deadline) -> str:
        return refusal_in(self.session.send(text, deadline=deadline).text)

    def _mode(self) -> str | None:
        """Return the mode in the prompt (`config-if`); None outside of configuration mode."""
        match = _MODE.search(self.session.prompt)
        return None if match is None else match[1]
