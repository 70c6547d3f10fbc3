"""What blocks of the other SDK give and get, in the forms of `sdk.connection` and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from sdk.compat.migration_hints import refusing
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


_LEAVING: Final = frozenset({"exit", "end", "exit-address-family"})

# A line of a global command below one of these harms nothing: the device takes it from any mode.
_SECTION: Final = re.compile(
    r"(interface|router|line|vlan|route-map|class-map|policy-map|ip(v6)? access-list|(ip )?vrf(?! forwarding)|"
    r"key chain|object-group|ip sla|crypto (isakmp|ipsec|pki|ikev2)|aaa group|track|archive)(\s|$)",
    re.IGNORECASE,
)


def information_of(facts: DeviceFacts) -> InformationResult:
    """What a device is. What it does not say is an empty text, as there is no null there."""
    return InformationResult(
        hostname=facts.hostname or "",
        vendor=facts.vendor or "",
        model=facts.model or "",
        serial=facts.serial or "",
        software_release=facts.software_release or "",
    )


def interfaces_of(found: Iterable[InterfaceFacts]) -> InterfacesResult:
    """Its interfaces."""
    return InterfacesResult(
        InterfaceResult(each.name, _STATUS[each.state], each.description or "") for each in found
    )


def neighbors_of(found: Iterable[Neighbor]) -> NeighborsResult:
    """Its neighbors."""
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


def indented(lines: Iterable[str]) -> list[str]:
    """Lines as a device prints them: those of a section below its header.

    Blocks of the other SDK send what a person would type, where a header changes the mode, and `exit` leaves it. Lines
    of which one is indented already stay as they are.
    """
    given = [line.rstrip() for line in lines if line.strip()]
    if any(line[0].isspace() for line in given):
        return given
    found: list[str] = []
    depth = 0
    for line in given:
        if line in _LEAVING:
            depth = 0 if line == "end" else max(depth - 1, 0)
        elif _SECTION.match(line):
            found.append(line)
            depth = 1
        else:
            is_nested = depth > 0 and line.startswith("address-family ")
            depth = 1 if is_nested else depth
            found.append(" " * depth + line)
            depth += is_nested
    return found


def pattern_of(expected: str) -> str | None:
    """A regular expression that finds `expected`, as it stands or as the expression that it may be; None for none."""
    if not expected:
        return None
    literal = re.escape(expected)
    try:
        re.compile(expected)
    except re.error:
        return literal
    return f"(?:{literal}|{expected})"


__getattr__ = refusing(__name__)
