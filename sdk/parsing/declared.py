"""Where a model's declared secrets are in the JSON that it is read from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from sdk.parsing.fields import fields_by_key
from sdk.parsing.typeforms import alternatives, items_of_list, models_in, values_of_mapping
from sdk.sensitive import marked_fields

ANY = "*"
"""In a path: every element of a list, and every value of an object."""

MAX_PATH_LENGTH = 20
MAX_PATHS = 500

Path = tuple[str, ...]


def sensitive_paths(model: type[BaseModel]) -> tuple[Path, ...]:
    """The paths of all fields that are marked `SENSITIVE` or are pydantic secrets, by the keys that are read.

    At most `MAX_PATHS`. A model inside of itself is followed as long as no model comes twice on one path.
    """
    found: dict[Path, None] = {}
    for path in _of_model(model, (), frozenset()):
        found[path] = None
        if len(found) >= MAX_PATHS:
            break
    return tuple(found)


def _of_model(model: type[BaseModel], at: Path, outer: frozenset[type[BaseModel]]) -> Iterator[Path]:
    if model in outer:
        return
    marked = marked_fields(model)
    for key, (name, field) in fields_by_key(model).items():
        if name in marked:
            yield (*at, key)
        else:
            yield from _of_annotation(field.annotation, (*at, key), outer | {model})


def _of_annotation(annotation: Any, at: Path, outer: frozenset[type[BaseModel]]) -> Iterator[Path]:
    if len(at) >= MAX_PATH_LENGTH:
        return
    for member in alternatives(annotation):
        if _is_secret(member):
            yield at
    for model in models_in(annotation):
        yield from _of_model(model, at, outer)
    for inner in (*items_of_list(annotation), *values_of_mapping(annotation)):
        yield from _of_annotation(inner, (*at, ANY), outer)


def _is_secret(member: Any) -> bool:
    origin = get_origin(member) or member
    return isinstance(origin, type) and issubclass(origin, SecretStr | SecretBytes | Secret)
