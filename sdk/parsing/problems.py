"""Converts validation errors to problems that never show a value.

A job's parameters may hold passwords, and the failed result goes into the engine's database, where all can read it.
"""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, core_schema

from sdk.errors import Problem
from sdk.masking import is_secret_name
from sdk.parsing.fields import ANY, Path
from sdk.parsing.sensitive_paths import sensitive_paths
from sdk.results import NOT_RESULT_DATA

# Texts of these kinds hold (a part of) the value, or an author wrote them and may have put it there.
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
_OF_AUTHORS = frozenset({"value_error", "assertion_error"})
WHOLE = "(all)"
"""The path of the whole input."""

_SAFE_TYPES = (frozenset(get_args(core_schema.ErrorType)) - _TELLTALE_TYPES) | {NOT_RESULT_DATA}


def problems_of(error: ValidationError, model: type[BaseModel] | None = None) -> tuple[Problem, ...]:
    """The problems in `error`: path, type and a text without the value.

    With the `model` that refused, they include the text of an author's check about a field that is not secret. That
    text may hold a value; a caller that shows it must mask the job's secrets in it.
    """
    secret = None if model is None else sensitive_paths(model)

    def text(item: ErrorDetails) -> str:
        kind, message = item["type"], item["msg"]
        if kind in _OF_AUTHORS and secret is not None and not _is_secret(item["loc"], secret):
            return message.partition(", ")[2] or message
        return _text(kind, message)

    return tuple(Problem(path_of(item["loc"]), item["type"], text(item)) for item in error.errors())


def _is_secret(location: tuple[int | str, ...], secret: tuple[Path, ...]) -> bool:
    """Whether something secret is at, around or below `location`; if in doubt, yes."""
    last = {next((step for step in reversed(path) if step != ANY), "") for path in secret}
    # For a union, pydantic puts the member's name in between.
    plain = tuple(step for step in location if isinstance(step, int) or not _names_a_member(step))
    return any(is_secret_name(step) or step in last for step in location if isinstance(step, str)) or any(
        _begins_with(path, location) or _begins_with(path, plain) for path in secret
    )


def _names_a_member(step: str) -> bool:
    return "[" in step or step[:1].isupper()


def _begins_with(path: Path, location: tuple[int | str, ...]) -> bool:
    # Either may be longer: something secret may be below the location, or around it.
    return all(part in (ANY, step) for part, step in zip(path, location, strict=False))


def path_of(location: tuple[Any, ...]) -> str:
    """`("hosts", 0, "ip")` as `hosts[0].ip`; the whole input is `WHOLE`."""
    path = ""
    for part in location:
        # Cut, because a key of a free mapping may be of any length.
        path += f"[{part}]" if isinstance(part, int) else f".{str(part)[:60]}"
    return path.removeprefix(".") or WHOLE


def _text(kind: str, message: str) -> str:
    if kind == "missing":
        return "missing"
    return message if kind in _SAFE_TYPES else f"refused by the model's own check ({kind})"
