"""Recognises a platform by the words in its answer. Pure: a table, and a function that reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sdk.connection.platforms.linux_readings import os_release


@dataclass(frozen=True, slots=True)
class Signature:
    """How one platform answers `show version`. The first group of `release` is the software release."""

    platform: str
    vendor: str
    words: re.Pattern[str]
    release: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What an answer showed. `evidence` is the line that decided."""

    platform: str
    vendor: str | None
    software_release: str | None
    evidence: str


def _signature(platform: str, vendor: str, words: str, release: str) -> Signature:
    flags = re.MULTILINE
    return Signature(platform, vendor, re.compile(words, flags), re.compile(release, flags))


# The first signature that fits counts: the answers of IOS XR, NX-OS and IOS XE name IOS, too.
SIGNATURES: Final = (
    _signature("frr", "FRRouting", r"^\s*FRRouting \S+ \(", r"^\s*FRRouting (\S+)"),
    _signature("iosxr", "Cisco", r"Cisco IOS XR Software", r"Cisco IOS XR Software, Version (\S+?)[,\s\[]"),
    _signature(
        "nxos", "Cisco", r"Nexus Operating System|\bNX-OS\b", r"^\s*(?:NXOS|system):?\s+version:?\s+(\S+)"
    ),
    _signature("iosxe", "Cisco", r"\bIOS[ -]XE Software\b", r"\bVersion ([^,\s]+)"),
    _signature("asa", "Cisco", r"Adaptive Security Appliance Software", r"Software Version (\S+)"),
    _signature("ios", "Cisco", r"\bIOS (\(tm\) .*)?Software\b", r"\bVersion ([^,\s]+)"),
    _signature(
        "eos", "Arista", r"^\s*Arista \S+|\bArista Networks EOS\b", r"^Software image version:\s*(\S+)"
    ),
    _signature("junos", "Juniper", r"^\s*Junos:|\bJUNOS\b", r"^\s*Junos:\s*(\S+)|\[([\w.-]+)\]"),
    _signature("aoscx", "Aruba", r"ArubaOS-CX|AOS-CX", r"^Version\s*:\s*(\S+)"),
    _signature("vrp", "Huawei", r"Versatile Routing Platform|\bVRP \(R\)", r"\bVersion (\S+)"),
    _signature("comware", "HPE", r"Comware (Platform )?Software", r"\bVersion ([^,\s]+)"),
)


def recognize(show_version: str) -> Recognition | None:
    """Return the platform that answers `show version` so, None if the table does not have it."""
    for signature in SIGNATURES:
        match = signature.words.search(show_version)
        if match is not None:
            release = signature.release.search(show_version)
            return Recognition(
                signature.platform,
                signature.vendor,
                next(filter(None, release.groups()), None) if release else None,
                _line_at(show_version, match.start()),
            )
    return None


def recognize_shell(uname_and_release: str) -> Recognition | None:
    """Return `linux` for a shell's answer to `uname -s; cat /etc/os-release`, None for another system."""
    # Not the first line: some shells print the command again before it.
    if re.search(r"^Linux\s*$", uname_and_release, re.MULTILINE) is None:
        return None
    return Recognition("linux", None, os_release(uname_and_release).get("PRETTY_NAME"), "Linux")


def _line_at(text: str, position: int) -> str:
    # The words may begin with blanks of the line before.
    position += len(text[position:]) - len(text[position:].lstrip())
    start = text.rfind("\n", 0, position) + 1
    return text[start:].split("\n", 1)[0].strip()
