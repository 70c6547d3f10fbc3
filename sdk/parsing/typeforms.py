"""What an annotation contains: its models, and whether it accepts a null."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel


def unwrap(annotation: Any) -> Any:
    """The annotation without `Annotated`, and without the name that a `type` statement (PEP 695) gave it."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        else:
            # A subscripted alias (`type Many[T] = list[T]`) keeps its parameters in the value. What it contains
            # is still found, but without the argument in its place.
            origin = get_origin(annotation)
            if not hasattr(origin, "__value__"):
                return annotation
            annotation = origin


def alternatives(annotation: Any) -> Iterator[Any]:
    """The members of a union, flattened. Anything else is its own only alternative."""
    plain = unwrap(annotation)
    if get_origin(plain) in (Union, types.UnionType):
        for member in get_args(plain):
            yield from alternatives(member)
    else:
        yield plain


def accepts_null(annotation: Any) -> bool:
    """Whether None is among the values that an annotation names."""
    return any(
        member in (None, type(None), Any, object)
        or isinstance(member, TypeVar)
        or (get_origin(member) is Literal and None in get_args(member))
        for member in alternatives(annotation)
    )


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation may hold directly (not inside a list or a mapping)."""
    return [member for member in alternatives(annotation) if _is_model(member)]


def items_of_list(annotation: Any) -> list[Any]:
    """The types of the items in an annotation's lists, tuples and sets."""
    found: list[Any] = []
    for member in alternatives(annotation):
        if _is_container(member, mapping=False):
            found.extend(arg for arg in get_args(member) if arg is not Ellipsis)
    return found


def values_of_mapping(annotation: Any) -> list[Any]:
    """The types of the values in an annotation's mappings."""
    return [
        get_args(member)[1]
        for member in alternatives(annotation)
        if _is_container(member, mapping=True) and len(get_args(member)) == 2
    ]


def _is_model(member: Any) -> bool:
    # In 3.11, a parametrised generic of the standard library is also an instance of type for isinstance.
    return isinstance(member, type) and get_origin(member) is None and issubclass(member, BaseModel)


def _is_container(member: Any, *, mapping: bool) -> bool:
    origin = get_origin(member)
    if not isinstance(origin, type):
        return False
    return hasattr(origin, "keys") if mapping else hasattr(origin, "__iter__") and not hasattr(origin, "keys")
