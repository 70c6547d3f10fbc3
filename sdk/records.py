"""Dataclasses, TypedDicts and NamedTuples: pydantic also reads objects into these, by their type hints."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import InitVar
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

ResultT = TypeVar("ResultT")

# A `type` statement can refer to itself.
MAX_ANNOTATION_DEPTH = 10


def cached_by_class(function: Callable[[type[Any]], ResultT]) -> Callable[[type[Any]], ResultT]:
    """`functools.cache` for a function of a class: mypy thinks that a class is not hashable."""
    return cast("Callable[[type[Any]], ResultT]", functools.cache(function))


def class_of(annotation: Any) -> type[Any] | None:
    """The class that an annotation names, without the arguments of a generic one."""
    named = get_origin(annotation) or annotation
    return named if isinstance(named, type) else None


def is_dataclass_type(kind: type[Any]) -> bool:
    """Whether it is a dataclass, pydantic's or the standard library's."""
    return hasattr(kind, "__dataclass_fields__")


def is_named_tuple(kind: type[Any]) -> bool:
    """Whether its instances are tuples whose elements have names."""
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def is_typed_dict(kind: type[Any]) -> bool:
    """Whether it describes a dict, by `typing.TypedDict` or the one of `typing_extensions`."""
    return issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def is_record(kind: type[Any]) -> bool:
    """Whether it is any of the three."""
    return is_dataclass_type(kind) or is_named_tuple(kind) or is_typed_dict(kind)


@cached_by_class
def hints_of(record: type[Any]) -> Mapping[str, Any] | None:
    """The type hints of a record's fields, with what `Annotated` adds; None if one of them can't be resolved.

    pydantic may still read such a record: it knows the names inside the function that defined a class.
    """
    try:
        return get_type_hints(record, include_extras=True)
    except Exception:  # a hint as a text is code, and may raise anything
        return None


def mentioned(annotation: Any, depth: int = 0) -> Iterator[Any]:
    """An annotation and all its parts, also what `Annotated` adds. It does not look into classes."""
    yield annotation
    if depth > MAX_ANNOTATION_DEPTH:
        return
    # `__value__` is the value that a `type` statement gave a name to.
    named = annotation.type if isinstance(annotation, InitVar) else getattr(annotation, "__value__", None)
    for part in (*get_args(annotation), named):
        if part is not None:
            yield from mentioned(part, depth + 1)
