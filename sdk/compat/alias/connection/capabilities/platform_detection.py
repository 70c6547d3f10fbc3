"""Finding out what a device is."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface


class PlatformDetectionCapability(CapabilityInterface):
    """Finds out a device's platform. The detector itself is not part of this worker."""

    @abstractmethod
    async def detect_platform(self, config: Any = None) -> Any:
        """A report of what was found."""


__getattr__ = refusing(__name__)
