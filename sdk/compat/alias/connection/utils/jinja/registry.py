"""What templates may use besides their variables: filters, globals, extensions and capabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sdk.compat.migration_hints import refusing

from .capabilities.result_collector import JinjaResultCollector
from .filters.value_filters import datetime_filters, json_filters
from .globals import now

T = TypeVar("T")

_PACKAGE = __name__.rpartition(".")[0]

JINJA_EXTENSIONS: list[Any] = [
    "jinja2.ext.do",
    "jinja2.ext.loopcontrols",
    "jinja2.ext.debug",
    f"{_PACKAGE}.extensions.CommentExtension",
    f"{_PACKAGE}.extensions.TryExceptExtension",
]
JINJA_FILTERS: dict[str, Callable[..., Any]] = {"datetime": datetime_filters, "json": json_filters}
JINJA_GLOBALS: dict[str, Any] = {"now": now}
JINJA_CAPABILITIES: dict[str, Callable[[], Any]] = {"rc": JinjaResultCollector}


def register_jinja_extension() -> Callable[[T], T]:
    """Register the decorated extension for all templates."""

    def register(extension: T) -> T:
        JINJA_EXTENSIONS.append(extension)
        return extension

    return register


def register_jinja_filter(name: str) -> Callable[[T], T]:
    """Register the decorated function as a filter."""
    return _into(JINJA_FILTERS, name)


def register_jinja_global(name: str) -> Callable[[T], T]:
    """Register the decorated function as a global."""
    return _into(JINJA_GLOBALS, name)


def register_jinja_capability(name: str) -> Callable[[T], T]:
    """Register the decorated class as a capability: each template that asks for it gets its own instance."""
    return _into(JINJA_CAPABILITIES, name)


def get_jinja_capabilities(capabilities: Iterable[str]) -> dict[str, Any]:
    """New instances of these capabilities, by name. Names that are not registered are left out."""
    return {name: JINJA_CAPABILITIES[name]() for name in capabilities if name in JINJA_CAPABILITIES}


def _into(table: dict[str, Any], name: str) -> Callable[[T], T]:
    def register(value: T) -> T:
        table[name] = value
        return value

    return register


__getattr__ = refusing(__name__)
