"""Helpers for device connections: none is here, and each says so by its own name."""

from sdk.compat.migration_hints import refusing

__getattr__ = refusing(__name__)
