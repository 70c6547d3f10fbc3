"""Restarting a device."""

from __future__ import annotations

from abc import abstractmethod

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface


class NetworkDeviceLifecycleCapability(CapabilityInterface):
    """Restarts a device."""

    @abstractmethod
    def reload(self, save_config: bool = True) -> None:
        """Restart the device now."""

    @abstractmethod
    def schedule_reload(self, delay: int, save_config: bool = True) -> None:
        """Restart the device later. The plugin says what `delay` means."""

    @abstractmethod
    def cancel_reload(self) -> None:
        """Cancel a restart that was scheduled."""


__getattr__ = refusing(__name__)
