"""Converts what blocks of the other SDK give and get to the forms of `sdk.connection`, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from sdk.compat.migration_hints import refusing
from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.plan import Plan, plan_lines, plan_typed
from sdk.connection.information import DeviceFacts, InterfaceFacts, InterfaceState, Neighbor

from ..capabilities.network_device_information import (
    InformationResult,
    InterfaceResult,
    InterfacesResult,
    InterfaceStatus,
    NeighborResult,
    NeighborsResult,
)

_STATUS: Final = {
    InterfaceState.UP: InterfaceStatus.UP,
    InterfaceState.DOWN: InterfaceStatus.DOWN,
    InterfaceState.ERROR_DISABLED: InterfaceStatus.ERROR_DISABLED,
    InterfaceState.ADMINISTRATIVE_SHUTDOWN: InterfaceStatus.DISABLED,
}


def information_of(facts: DeviceFacts) -> InformationResult:
    """What a device is. A fact that it does not report is an empty text, because that SDK has no null there."""
    return InformationResult(
        hostname=facts.hostname or "",
        vendor=facts.vendor or "",
        model=facts.model or "",
        serial=facts.serial or "",
        software_release=facts.software_release or "",
    )


def interfaces_of(found: Iterable[InterfaceFacts]) -> InterfacesResult:
    """The device's interfaces."""
    return InterfacesResult(
        InterfaceResult(each.name, _STATUS[each.state], each.description or "") for each in found
    )


def neighbors_of(found: Iterable[Neighbor]) -> NeighborsResult:
    """The device's neighbors."""
    return NeighborsResult(
        NeighborResult(
            hostname=each.name or "",
            ip=each.address or "",
            capabilities=list(each.capabilities),
            local_interface=each.local_interface,
            neighbor_interface=each.interface or "",
        )
        for each in found
    )


def plan_given(configuration: str, lines: Iterable[str], dialect: Dialect) -> Plan:
    """The plan for lines that a block gives, in the form that a device prints or that a person types.

    Blocks of the other SDK mostly send what a person types: no line is indented, and after a header the lines belong
    to its section until `exit`. Raises `LinesError`.
    """
    given = [part for line in lines for part in line.splitlines()]
    commands = (line for line in dialect.without_blocks(given) if line.strip() and line.strip()[0] != "!")
    indents = {len(line) - len(line.lstrip()) for line in commands}
    plan = plan_lines if len(indents) > 1 else plan_typed
    return plan(configuration, given, dialect)


def pattern_of(expected: str) -> str | None:
    """A regular expression that finds `expected`, as a plain text or as an expression; None if there is no text."""
    if not expected:
        return None
    literal = re.escape(expected)
    try:
        re.compile(expected)
    except re.error:
        return literal
    return f"(?:{literal}|{expected})"


__getattr__ = refusing(__name__)
