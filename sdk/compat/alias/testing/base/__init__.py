"""Test cases that stand at a block."""

from sdk.compat.migration_hints import refusing

__getattr__ = refusing(__name__)
