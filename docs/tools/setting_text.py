"""How a setting is written in a table: its flag, its value and its default."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import CliPositionalArg

_POSITIONAL = get_args(CliPositionalArg[str])[1]


def word_of(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def flag_of(name: str, field: FieldInfo) -> str:
    """Return the flag with what follows it, as code."""
    if _POSITIONAL in field.metadata:
        return f"`{name.upper()}`"
    word = word_of(field.alias or name)
    if field.annotation is bool:
        return f"`{word}`"
    return f"`{word} {_value(field.annotation)}`"


def _value(annotation: Any) -> str:
    kinds = [kind for kind in (get_args(annotation) or (annotation,)) if kind is not type(None)]
    if get_origin(annotation) is Literal:
        return "\\|".join(map(str, kinds))
    if get_origin(annotation) is list:
        return "LIST"
    literal = next((kind for kind in kinds if get_origin(kind) is Literal), None)
    if literal is not None:
        return "\\|".join(map(str, get_args(literal)))
    return {"int": "NUMBER", "float": "NUMBER", "Path": "PATH"}.get(getattr(kinds[0], "__name__", ""), "TEXT")


def default_of(field: FieldInfo) -> str:
    """Return the default as code, nothing where there is none."""
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value is PydanticUndefined or value == "" or value == [] or value is False:
        return ""
    if isinstance(value, list):
        return f"`{','.join(map(str, value))}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def cell(text: str) -> str:
    """Return a text as it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")
