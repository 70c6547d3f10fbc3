"""Which values are secret: by a mark, by their type, or by their name."""

from __future__ import annotations

import json
from abc import ABCMeta
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from sdk.masking import is_secret_name, learn
from sdk.records import (
    cached_by_class,
    class_of,
    hints_of,
    is_dataclass_type,
    is_named_tuple,
    is_typed_dict,
    mentioned,
)

_JSON_FIELDS = frozenset({"connection_options", "connectionOptions"})
_MAX_JSON_LENGTH = 65_536
_BUILT_IN = frozenset({dict, list})
_PLAIN = frozenset({str, bytes, int, float, bool, type(None)})
"""Types whose values contain nothing but themselves."""

_NO_KEYS: frozenset[str] = frozenset()

_Item = tuple[object, bool, frozenset[str]]
"""A value, whether all of it is secret, and which keys in its dicts are declared secret."""


@dataclass(frozen=True, slots=True)
class Sensitive(metaclass=ABCMeta):  # noqa: B024  # only for `register`
    """Marks a field whose value must never be shown: `key: Annotated[str, SENSITIVE]`.

    The marker of another SDK is registered as a subclass (`sdk.compat.installed`).
    """


SENSITIVE = Sensitive()
"""Marks a field as secret: `key: Annotated[str, SENSITIVE]`. The field keeps its type; its value is masked."""


@cached_by_class
def marked_fields(kind: type[Any]) -> frozenset[str]:
    """The fields of a model or a record that are marked `SENSITIVE`, also inside: `Annotated[str, SENSITIVE] | None`.

    None for a record whose type hints can't be resolved: pydantic has seldom read such a record.
    """
    if issubclass(kind, BaseModel):
        return frozenset(
            name
            for name, field in kind.model_fields.items()
            if any(_mentions_marker(part) for part in (*field.metadata, field.annotation))
        )
    return frozenset(name for name, hint in (hints_of(kind) or {}).items() if _mentions_marker(hint))


def collect_secrets(value: object) -> frozenset[str]:
    """All secrets in a model, a record, a mapping or a list, at any depth and of any length; numbers as printed.

    A value is secret if it is marked `SENSITIVE`, is a pydantic secret, or has a name such as `password`.
    """
    return frozenset(text for text in _secrets(value) if text)


def learn_field(model: type[BaseModel], name: str, value: object) -> None:
    """Mask the secrets in a field's new value from now on; if the field is secret, the whole value."""
    is_secret = is_secret_name(name) or name in marked_fields(model)
    value = _unfolded(name, value)
    if is_secret or not isinstance(value, str | int | float | None):
        learn(text for text in _secrets(value, marked=is_secret) if text)


def _secrets(value: object, *, marked: bool = False) -> Iterator[str]:
    # Not recursive, and each container once: a block may leave any nesting, and circles, in its input.
    todo: list[_Item] = [(value, marked, _NO_KEYS)]
    seen: set[tuple[int, bool, frozenset[str]]] = set()
    while todo:
        item, marked, keys = todo.pop()
        if isinstance(item, Secret | SecretStr | SecretBytes):
            todo.append((item.get_secret_value(), True, _NO_KEYS))
        elif isinstance(item, str | bytes):
            if marked:
                yield item if isinstance(item, str) else item.decode("utf-8", "replace")
        elif isinstance(item, int | float):
            if marked and not isinstance(item, bool):
                yield str(item)
        elif (id(item), marked, keys) not in seen:
            seen.add((id(item), marked, keys))
            todo.extend(_parts(item, marked, keys))


def _parts(container: object, marked: bool, keys: frozenset[str]) -> Iterator[_Item]:
    """What `container` holds."""
    if (values := _fields_of(container)) is not None:
        kind = type(container)
        declared, below = marked_fields(kind), _keys_in_typed_dicts(kind)
        for name, item in values.items():
            if item is None or (not item and type(item) in _BUILT_IN):  # most of a device's fields
                continue
            is_marked = marked or is_secret_name(name) or name in declared
            if is_marked or name in _JSON_FIELDS or type(item) not in _PLAIN:
                yield _unfolded(name, item), is_marked, below.get(name, _NO_KEYS)
    elif isinstance(container, Mapping):
        for key, item in container.items():
            if item is None or (not item and type(item) in _BUILT_IN):
                continue
            is_marked = marked or is_secret_name(str(key)) or key in keys
            if is_marked or type(item) not in _PLAIN or key in _JSON_FIELDS:
                yield _unfolded(key, item), is_marked, keys
    elif isinstance(container, list | tuple | set | frozenset | deque):
        for item in container:
            if marked or type(item) not in _PLAIN:
                yield item, marked, keys


def _fields_of(container: object) -> dict[str, Any] | None:
    """The values of a model, a dataclass or a NamedTuple by their field names; None for anything else."""
    kind: type[Any] = type(container)
    if kind in _BUILT_IN:
        return None
    if isinstance(container, BaseModel):
        # vars, not getattr: a model that was built without validation may lack attributes.
        return {**vars(container), **(container.model_extra or {})}
    if isinstance(container, tuple):
        return dict(zip(kind._fields, container, strict=False)) if is_named_tuple(kind) else None
    if not is_dataclass_type(kind):
        return None
    values: dict[str, Any] = dict(getattr(container, "__dict__", {}))
    for name in kind.__dataclass_fields__:
        if name not in values:  # in a class with slots
            values[name] = getattr(container, name, None)
    return values


@cached_by_class
def _keys_in_typed_dicts(kind: type[Any]) -> Mapping[str, frozenset[str]]:
    """Which keys are declared secret in the TypedDicts that a field holds: a dict itself can't show that."""
    if issubclass(kind, BaseModel):
        hints: Mapping[str, Any] = {name: field.annotation for name, field in kind.model_fields.items()}
    else:
        hints = hints_of(kind) or {}
    found = {name: frozenset(_declared_keys(hint)) for name, hint in hints.items()}
    return {name: keys for name, keys in found.items() if keys}


def _declared_keys(annotation: Any) -> Iterator[str]:
    todo, seen = [annotation], set[type[Any]]()
    while todo:
        for part in mentioned(todo.pop()):
            kind = class_of(part)
            if kind is not None and is_typed_dict(kind) and kind not in seen:
                seen.add(kind)
                yield from marked_fields(kind)
                todo.extend((hints_of(kind) or {}).values())


def _unfolded(name: object, value: object) -> object:
    """A device's connection options, which are JSON in a text, as an object; everything else unchanged."""
    if name not in _JSON_FIELDS or not isinstance(value, str) or len(value) > _MAX_JSON_LENGTH:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _mentions_marker(annotation: Any) -> bool:
    return any(isinstance(part, Sensitive) or part is Sensitive for part in mentioned(annotation))
