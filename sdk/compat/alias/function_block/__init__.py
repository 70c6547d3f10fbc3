"""Blocks: what they derive from, take and return."""

from sdk.compat.ways_out import refusing

__getattr__ = refusing(__name__)
