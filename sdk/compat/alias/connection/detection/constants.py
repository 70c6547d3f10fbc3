"""What the inventory calls a device whose platform is to be found out: nothing that a real one is called."""

from __future__ import annotations

from typing import Final

from sdk.compat.migration_hints import refusing

DETECTION_PLATFORM: Final = "__detect__"
DETECTION_CONNECTION_TYPE: Final = "detect"
DETECTION_CONNECTION_LIBRARY: Final = "detect"
DETECTION_DEVICE_ID: Final = 1

__getattr__ = refusing(__name__)
