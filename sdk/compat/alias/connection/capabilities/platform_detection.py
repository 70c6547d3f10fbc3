"""Finding out what a device is."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from sdk.compat.migration_hints import refusing

from .base import CapabilityInterface

if TYPE_CHECKING:
    from ..detection.detector import DetectionConfig
    from ..detection.results import DetectionReport


class PlatformDetectionCapability(CapabilityInterface):
    """Finds out a device's platform."""

    @abstractmethod
    async def detect_platform(self, config: DetectionConfig | None = None) -> DetectionReport:
        """A report of what was found."""


__getattr__ = refusing(__name__)
