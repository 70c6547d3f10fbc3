"""Parameters and context of a test in the form in which the engine would send them."""

from __future__ import annotations

import dataclasses
import json
from collections import deque
from collections.abc import Mapping, MutableMapping, MutableSequence, MutableSet, Set
from itertools import pairwise
from typing import Any

from pydantic import AliasChoices, BaseModel, RootModel, Secret, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from sdk.context import WorkflowContext
from sdk.context.kinds import KINDS
from sdk.encoding import to_plain


def parameters_of(params: BaseModel | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `params` as a JSON object. It has only what was set or changed, so the child applies its own defaults.

    It has secrets in clear, like a real job. Raises `EncodingError`.
    """
    plain = to_plain(_revealed(params or {}), "params")
    return dict(plain)


def _revealed(value: Any) -> Any:
    if isinstance(value, SecretStr | SecretBytes | Secret):
        return _revealed(value.get_secret_value())
    if isinstance(value, RootModel):
        return _revealed(value.root)
    if isinstance(value, BaseModel):
        return _fields(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {each.name: _revealed(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return as_input(getattr(value, "__pydantic_fields__", {}), named)
    if isinstance(value, Mapping):
        return {key: _revealed(item) for key, item in value.items()}
    if isinstance(value, Set):
        return _revealed_set(value)
    if isinstance(value, list | tuple | deque):
        return [_revealed(item) for item in value]
    return value


def _revealed_set(value: Set[Any]) -> Any:
    items = [_revealed(item) for item in value]
    try:
        return frozenset(items)  # it is written in a stable order
    except TypeError:
        return items


def _fields(model: BaseModel) -> Any:
    declared = type(model).model_fields
    named = {
        name: _revealed(getattr(model, name))
        for name, info in declared.items()
        if name in model.model_fields_set or _is_changed_in_place(model, name, info)
    }
    extra = {name: _revealed(value) for name, value in (model.model_extra or {}).items()}
    is_by_name = type(model).model_config.get("validate_by_alias") is False
    return (named if is_by_name else as_input(declared, named)) | extra


def _is_changed_in_place(model: BaseModel, name: str, info: FieldInfo) -> bool:
    """Whether a field that was not set differs from its default, for example after `params.hosts.append(...)`."""
    value = getattr(model, name)
    if not isinstance(value, MutableSequence | MutableSet | MutableMapping | BaseModel):
        return False  # can't be changed in place, and a factory may give a different value each time
    try:
        needs = getattr(info, "default_factory_takes_validated_data", False)  # pydantic 2.10
        given: dict[str, Any] = {"validated_data": dict(vars(model))} if needs else {}
        default = info.get_default(call_default_factory=True, **given)
        return _text(value) != _text(default)
    except Exception:
        return False  # the value is not JSON, or its factory fails: the child makes its own


def _text(value: Any) -> str:
    return json.dumps(to_plain(_revealed(value)), sort_keys=True)


def as_input(declared: Mapping[str, FieldInfo], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by their field names in the form that a model accepts: by a plain alias, if there is one."""
    given: dict[str, Any] = {}
    for name, value in named.items():
        _put(given, _wire_path(name, declared[name]) if name in declared else (name,), value)
    return given


def _wire_path(name: str, info: FieldInfo) -> tuple[str | int, ...]:
    alias = info.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [name if alias is None else alias]
    paths = [(each,) if isinstance(each, str) else tuple(each.path) for each in choices]
    return min(paths, key=len)  # the first plain key, if there is one


def _put(sent: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    """Put `value` where `AliasPath(*path)` looks for it."""
    into: Any = sent
    for key, following in pairwise(path):
        into = _placed(into, key, {} if isinstance(following, str) else [])
    _placed(into, path[-1], value)


def _placed(into: Any, key: str | int, value: Any) -> Any:
    if isinstance(key, str):
        return into.setdefault(key, value)
    index = max(key, 0)
    into.extend([None] * (index + 1 - len(into)))
    if into[index] is None:
        into[index] = value
    return into[index]


def context_of(context: WorkflowContext | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `context` as the JSON object of a job (engine contract: entities): always a copy."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        if isinstance(context, WorkflowContext):
            items = getattr(context, kind.attribute)
        else:
            items = (context or {}).get(kind.key, (context or {}).get(kind.attribute))
        found[kind.key] = [_entity(item, f"{kind.key}[{index}]") for index, item in enumerate(items or ())]
    return found


def _entity(item: Any, path: str) -> Any:
    dump = getattr(item, "model_dump", None)
    return to_plain(dump(mode="json", by_alias=True, warnings=False) if dump else item, path)
