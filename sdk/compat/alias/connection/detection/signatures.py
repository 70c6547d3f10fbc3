"""Signatures: the command and the words in its output that show a platform. Plugins have a `detection_signature`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from sdk.compat.migration_hints import refusing


class ShellKind(StrEnum):
    """What a login leads to."""

    NETWORK_CLI = "network_cli"
    POSIX_SHELL = "posix_shell"


@dataclass
class PlatformSignature:
    """A device of a platform answers `version_command` with a text that `pattern` matches.

    The lowest `priority` is tried first.
    """

    version_command: str
    pattern: str
    shell_kind: ShellKind = ShellKind.NETWORK_CLI
    priority: int = 100

    def matches(self, output: str) -> bool:
        """Whether the pattern is in this output."""
        return re.search(self.pattern, output, re.IGNORECASE | re.MULTILINE) is not None


Plan = list[tuple[str, list[tuple[str, PlatformSignature]]]]


def get_signatures() -> dict[str, PlatformSignature]:
    """The signatures of the plugins for SSH, by platform."""
    from ..registry import ssh_plugins  # it imports the plugins, and they import the signatures

    found = {name: getattr(plugin, "detection_signature", None) for name, plugin in ssh_plugins().items()}
    return {name: signature for name, signature in found.items() if signature is not None}


def get_signature(platform: str) -> PlatformSignature | None:
    """The signature of one platform."""
    return get_signatures().get(platform)


def command_plan() -> Plan:
    """Which commands to send, and what the answers mean. Commands for the most platforms go first, for shells last."""
    by_command: dict[str, list[tuple[str, PlatformSignature]]] = {}
    for platform, signature in get_signatures().items():
        by_command.setdefault(signature.version_command, []).append((platform, signature))
    return sorted(by_command.items(), key=lambda each: _rank(*each))


def _rank(command: str, entries: list[tuple[str, PlatformSignature]]) -> tuple[bool, int, int, str]:
    signatures = [signature for _, signature in entries]
    is_for_shells = any(each.shell_kind == ShellKind.POSIX_SHELL for each in signatures)
    return is_for_shells, -len(entries), min(each.priority for each in signatures), command


__getattr__ = refusing(__name__)
