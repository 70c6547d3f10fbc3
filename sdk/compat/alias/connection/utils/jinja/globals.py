"""Functions that each template has."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sdk.compat.migration_hints import refusing


def now(tz: str | None = None) -> datetime:
    """The time: local and without a zone, or in the zone with this name."""
    return datetime.now(ZoneInfo(tz) if tz else None)


__getattr__ = refusing(__name__)
