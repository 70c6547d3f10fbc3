"""The registry of blocks."""

from sdk.compat.migration_hints import refusing

from .registry import Registry, registry

__all__ = ["Registry", "registry"]

__getattr__ = refusing(__name__)
