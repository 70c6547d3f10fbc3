"""Templates, rendered in jinja2's sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sdk.compat.client import library
from sdk.compat.migration_hints import refusing

from .registry import JINJA_EXTENSIONS, JINJA_FILTERS, JINJA_GLOBALS


def render_jinja_template(
    template: str,
    jinja_globals: dict[str, Callable[..., Any]] | None = None,
    jinja_extensions: list[str] | None = None,
    jinja_filters: dict[str, Callable[..., Any]] | None = None,
    capabilities: dict[str, Any] | None = None,
    **kwargs: Any,
) -> str:
    """The text of `template` with these variables. An undefined variable is an error.

    A capability goes before a variable with the same name.

    Raises `jinja2.TemplateError`, and what a filter raises.
    """
    jinja2 = library("jinja2")
    environment = library("jinja2.sandbox").SandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[*JINJA_EXTENSIONS, *(jinja_extensions or ())],
    )
    environment.filters.update({**JINJA_FILTERS, **(jinja_filters or {})})
    environment.globals.update({**JINJA_GLOBALS, **(jinja_globals or {})})
    text: str = environment.from_string(template).render({**kwargs, **(capabilities or {})})
    return text


__getattr__ = refusing(__name__)
