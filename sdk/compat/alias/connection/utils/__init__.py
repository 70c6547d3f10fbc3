"""Helpers for device connections: none is here, and each says so by its own name."""

from sdk.compat.ways_out import refusing

__getattr__ = refusing(__name__)
