"""The watch over an event loop that stands still."""

from sdk.compat.migration_hints import refusing
from sdk.concurrency import BlockingDetector

__all__ = ["BlockingDetector"]

__getattr__ = refusing(__name__)
