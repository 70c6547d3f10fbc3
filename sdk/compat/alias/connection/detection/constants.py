"""The platform name in the inventory for a device with an unknown platform. No real platform has it."""

from __future__ import annotations

from typing import Final

from sdk.compat.migration_hints import refusing

DETECTION_PLATFORM: Final = "__detect__"
DETECTION_CONNECTION_TYPE: Final = "detect"
DETECTION_CONNECTION_LIBRARY: Final = "detect"
DETECTION_DEVICE_ID: Final = 1

__getattr__ = refusing(__name__)
