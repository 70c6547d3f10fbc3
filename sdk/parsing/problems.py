"""Validation errors as problems that never show a value.

A job's parameters may hold passwords, and the failed result goes into the engine's database for all to read.
"""

from __future__ import annotations

from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import core_schema

from sdk.errors import Problem
from sdk.results import NOT_RESULT_DATA

# Texts of these kinds hold (part of) the value, or were written by an author who may have put it there.
_TELLTALE_TYPES = frozenset(
    {
        "value_error",
        "assertion_error",
        "union_tag_invalid",
        "get_attribute_error",
        "iteration_error",
        "mapping_type",
        "uuid_parsing",
        "url_parsing",
        "url_syntax_violation",
    }
)
WHOLE = "(all)"
"""The path of the whole input."""

_SAFE_TYPES = (frozenset(get_args(core_schema.ErrorType)) - _TELLTALE_TYPES) | {NOT_RESULT_DATA}


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """What ``error`` says, as path, type and a text without the value."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    return tuple(
        Problem(path_of(item["loc"]), item["type"], _text(item["type"], item["msg"])) for item in details
    )


def path_of(location: tuple[Any, ...]) -> str:
    """``("hosts", 0, "ip")`` as ``hosts[0].ip``; the whole input is ``WHOLE``."""
    path = ""
    for part in location:
        # Cut, because a key of a free mapping may be of any length.
        path += f"[{part}]" if isinstance(part, int) else f".{str(part)[:60]}"
    return path.removeprefix(".") or WHOLE


def _text(kind: str, message: str) -> str:
    if kind == "missing":
        return "missing"
    return message if kind in _SAFE_TYPES else f"refused by the model's own check ({kind})"
