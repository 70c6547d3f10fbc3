"""The watch over an event loop that stands still."""

from __future__ import annotations

import importlib
from typing import Any

from sdk.compat.ways_out import refusing

BlockingDetector: Any = importlib.import_module("sdk.concurrency").BlockingDetector

__all__ = ["BlockingDetector"]

__getattr__ = refusing(__name__)
