"""Test cases that stand at a block."""

from sdk.compat.ways_out import refusing

__getattr__ = refusing(__name__)
