"""Sending commands to a device."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface


@dataclass
class CommandResult:
    """What the device answered, and what a template has read from it."""

    output: str
    parsed_output: list[dict[str, Any]] | None


class NetworkDeviceExecutionCapability(CapabilityInterface):
    """Sends commands. Timeouts are in seconds; with None the plugin's own applies."""

    @abstractmethod
    def send_command(self, command: str, timeout: int | None = None) -> CommandResult:
        """Send a command and wait for the prompt."""

    @abstractmethod
    def send_command_expect(self, command: str, expect: str, timeout: int | None = None) -> CommandResult:
        """Send a command and wait for a text."""

    @abstractmethod
    def send_interactive(
        self, interactions: list[tuple[str, str]], timeout: int | None = None
    ) -> CommandResult:
        """Send each input and wait for its text."""


__getattr__ = refusing(__name__)
