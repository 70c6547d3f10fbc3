"""Modules for restricted code."""

from __future__ import annotations

import ipaddress
from types import ModuleType

from sdk.compat.migration_hints import refusing

from .registry import register_restricted_module


@register_restricted_module("ipaddress")
def ipaddress_module() -> ModuleType:
    """The standard library's module for addresses."""
    return ipaddress


__getattr__ = refusing(__name__)
