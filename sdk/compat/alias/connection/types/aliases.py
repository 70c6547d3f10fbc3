"""The types of a plugin's platform, connection type and library, and its type variables."""

from __future__ import annotations

from typing import TypeAlias

from sdk.compat.migration_hints import refusing

from .base_connection import AnyConnection as AnyConnection
from .base_connection import RawConnection as RawConnection

ConnectionPlatform: TypeAlias = str
ConnectionType: TypeAlias = str
ConnectionLibrary: TypeAlias = str

__getattr__ = refusing(__name__)
