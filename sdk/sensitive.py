"""Which values are secret: by declaration, by their type, or by their name."""

from __future__ import annotations

import functools
import json
from abc import ABCMeta
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from sdk.masking import is_secret_name, learn

# A `type` statement can name itself.
MAX_ANNOTATION_DEPTH = 10

_JSON_FIELDS = frozenset({"connection_options", "connectionOptions"})
_MAX_JSON_LENGTH = 65_536
_BUILT_IN = frozenset({dict, list})
_PLAIN = frozenset({str, bytes, int, float, bool, type(None)})
"""What holds nothing secret but itself."""


@dataclass(frozen=True, slots=True)
class Sensitive(metaclass=ABCMeta):  # noqa: B024  # for `register` alone
    """Marks a field whose value must never be shown: `key: Annotated[str, SENSITIVE]`.

    The marker of another SDK is registered as one of these (`sdk.compat.installed`).
    """


SENSITIVE = Sensitive()
"""Marks a field as secret: `key: Annotated[str, SENSITIVE]`. The field keeps its type; its value is masked."""


@functools.cache
def marked_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of `model` marked `SENSITIVE`, also inside: `Annotated[str, SENSITIVE] | None`."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(_mentions_marker(part) for part in (*field.metadata, field.annotation))
    )


def collect_secrets(value: object) -> frozenset[str]:
    """All secrets in a model, a mapping or a list, at any depth and of any length; numbers as they are printed.

    Secret is what is marked `SENSITIVE`, is a pydantic secret, or has a name such as `password`.
    """
    return frozenset(text for text in _secrets(value) if text)


def learn_field(model: type[BaseModel], name: str, value: object) -> None:
    """Have what is secret in a field's new value masked from now on, the whole of it where the field is secret."""
    is_secret = is_secret_name(name) or name in marked_fields(model)
    value = _unfolded(name, value)
    if is_secret or not isinstance(value, str | int | float | None):
        learn(text for text in _secrets(value, marked=is_secret) if text)


def _secrets(value: object, *, marked: bool = False) -> Iterator[str]:
    # Not recursive, and each container once: a block may leave any nesting, and circles, in what it got.
    todo: list[tuple[object, bool]] = [(value, marked)]
    seen: set[tuple[int, bool]] = set()
    while todo:
        item, marked = todo.pop()
        if isinstance(item, Secret | SecretStr | SecretBytes):
            todo.append((item.get_secret_value(), True))
        elif isinstance(item, str | bytes):
            if marked:
                yield item if isinstance(item, str) else item.decode("utf-8", "replace")
        elif isinstance(item, int | float):
            if marked and not isinstance(item, bool):
                yield str(item)
        elif (id(item), marked) not in seen:
            seen.add((id(item), marked))
            todo.extend(_parts(item, marked))


def _parts(container: object, marked: bool) -> Iterator[tuple[object, bool]]:
    """What `container` holds, each with whether it is secret as a whole."""
    if isinstance(container, BaseModel):
        declared = marked_fields(type(container))
        # vars and not getattr: a model built without validation may lack attributes.
        values: dict[str, Any] = {**vars(container), **(container.model_extra or {})}
        for name, item in values.items():
            if item is None or (not item and type(item) in _BUILT_IN):  # most of a device's fields
                continue
            is_marked = marked or is_secret_name(name) or name in declared
            if is_marked or name in _JSON_FIELDS or type(item) not in _PLAIN:
                yield _unfolded(name, item), is_marked
    elif isinstance(container, Mapping):
        for key, item in container.items():
            if item is None or (not item and type(item) in _BUILT_IN):
                continue
            is_marked = marked or is_secret_name(str(key))
            if is_marked or type(item) not in _PLAIN or key in _JSON_FIELDS:
                yield _unfolded(key, item), is_marked
    elif isinstance(container, list | tuple | set | frozenset):
        for item in container:
            if marked or type(item) not in _PLAIN:
                yield item, marked


def _unfolded(name: object, value: object) -> object:
    """A device's connection options as what they are, JSON in a text; everything else as it is."""
    if name not in _JSON_FIELDS or not isinstance(value, str) or len(value) > _MAX_JSON_LENGTH:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _mentions_marker(annotation: Any, depth: int = 0) -> bool:
    if isinstance(annotation, Sensitive) or annotation is Sensitive:
        return True
    if depth > MAX_ANNOTATION_DEPTH:
        return False
    # `__value__` is what a `type` statement gave a name to.
    inner = (*get_args(annotation), getattr(annotation, "__value__", None))
    return any(_mentions_marker(part, depth + 1) for part in inner if part is not None)
