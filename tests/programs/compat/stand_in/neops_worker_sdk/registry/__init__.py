"""Own modules first, then those of the alias."""

from .registry import Registry, registry

__all__ = ["Registry", "registry"]
