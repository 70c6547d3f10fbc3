"""Restarting a device."""

from __future__ import annotations

from abc import abstractmethod

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface


class NetworkDeviceLifecycleCapability(CapabilityInterface):
    """Restarts a device."""

    @abstractmethod
    def reload(self, save_config: bool = True) -> None:
        """Restart it now."""

    @abstractmethod
    def schedule_reload(self, delay: int, save_config: bool = True) -> None:
        """Restart it later; `delay` is as the plugin says."""

    @abstractmethod
    def cancel_reload(self) -> None:
        """Do not restart it after all."""


__getattr__ = refusing(__name__)
