"""Changing a device's configuration."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface


@dataclass
class ConfigApplyResult:
    """What a change has changed, as a diff."""

    diff: str


class NetworkDeviceConfigurationCapability(CapabilityInterface):
    """Changes a device's configuration. Timeouts are in seconds; with None the plugin's own applies."""

    @abstractmethod
    def send_configs(
        self, configs: list[str], timeout: int | None = None, expect_prompt: bool = True
    ) -> ConfigApplyResult:
        """Enter these lines in configuration mode."""

    @abstractmethod
    def merge_config(self, config: str, timeout: int | None = None) -> ConfigApplyResult:
        """Add to the running configuration."""

    @abstractmethod
    def replace_running_config(self, config: str, timeout: int | None = None) -> ConfigApplyResult:
        """Replace the running configuration by this one."""

    @abstractmethod
    def replace_startup_config(self, config: str, timeout: int | None = None) -> ConfigApplyResult:
        """Replace the startup configuration by this one."""

    @abstractmethod
    def save_config(self) -> None:
        """Make the running configuration the startup configuration."""


__getattr__ = refusing(__name__)
