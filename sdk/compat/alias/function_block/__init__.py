"""Blocks: what they derive from, take and return."""

from sdk.compat.migration_hints import refusing

__getattr__ = refusing(__name__)
