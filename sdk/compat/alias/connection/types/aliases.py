"""Words of a plugin, and its type variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from sdk.compat.ways_out import refusing

if TYPE_CHECKING:
    from .base_connection import BaseConnection

ConnectionPlatform: TypeAlias = str
ConnectionType: TypeAlias = str
ConnectionLibrary: TypeAlias = str

RawConnection = TypeVar("RawConnection")
AnyConnection = TypeVar("AnyConnection", bound="BaseConnection")  # type: ignore[type-arg]  # of any raw connection

__getattr__ = refusing(__name__)
