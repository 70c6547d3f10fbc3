"""Plugins for platforms: none comes with this worker, and each says so by its own name; one base class does."""

from sdk.compat.migration_hints import refusing

from .base import NetmikoConnection, NetmikoConnectionPluginBase

__all__ = ["NetmikoConnection", "NetmikoConnectionPluginBase"]

__getattr__ = refusing(__name__)
