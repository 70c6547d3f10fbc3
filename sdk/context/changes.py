"""The changes of a block on one kind of entities, as the updates that the engine accepts.

The rules are those of `neops_worker_sdk`, except that the order is stable and that nothing is dropped silently.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from sdk.context.fields import copied_fields, is_untouched, is_untouched_entity
from sdk.context.kinds import Kind, id_of
from sdk.encoding import to_plain
from sdk.errors import ContextError

Update = dict[str, Any]
Warn = Callable[[str], None]

WRAPPER_FIELDS = frozenset({"skip_if_identifier_exists", "identifier_fields"})

READ_ONLY_FIELDS = frozenset(
    {
        "id",
        "created_at",
        "updated_at",
        "deleted_at",
        "first_seen_at",
        "inventory_updated_at",
        "device_count",
        "interface_count",
        "group_count",
        "client_count",
        "active_lock_counts",
        "is_read_locked",
        "is_write_locked",
        "permission",
        "permission_flags",
        "role_permissions",
    }
)


def snapshot(kind: Kind, entities: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """The entities' fields by id. All containers are copied, so later changes don't affect the snapshot."""
    return {id_of(entity): copied_fields(entity, kind.model) or _fields(kind, entity) for entity in entities}


def changed_among(kind: Kind, before: Mapping[int, dict[str, Any]], entities: object) -> list[Any]:
    """Those of `entities` that may have changed. If it is no list of entities, it is the only item of the result."""
    if not isinstance(entities, list | tuple):
        return [entities]
    return [
        entity
        for entity in entities
        if type(entity) is not kind.model
        or (fields := before.get(getattr(entity, "id", 0))) is None
        or not is_untouched_entity(fields, entity, kind.model)
    ]


def updates_of(
    kind: Kind,
    before: Mapping[int, dict[str, Any]],
    entities: object,
    warn: Warn,
    changed: Sequence[Any] | None = None,
) -> list[Update]:
    """Creates, deletes and patches, in this order, each in the order in which the entities appear.

    `changed` is the result of `changed_among`. Raises `EncodingError` for a value that can't be written as JSON.
    """
    suspects = set(map(id, changed_among(kind, before, entities) if changed is None else changed))
    after: dict[int, Any] = {}
    for entity in checked_entities(kind, entities):
        number = id_of(entity)
        if number in after:
            warn(f"{kind.entity_type} {number} is twice in context.{kind.attribute}. The last one counts.")
        after[number] = entity
    creates = [_create(kind, number, entity) for number, entity in after.items() if number not in before]
    deletes: list[Update] = [
        {"operation": "delete", "entity": str(kind.entity_type), "id": number}
        for number in before
        if number not in after
    ]
    patches = [
        patch
        for number, fields in before.items()
        if number in after and id(after[number]) in suspects
        for patch in _patches(kind, number, fields, after[number], warn)
    ]
    return creates + deletes + patches


def checked_entities(kind: Kind, entities: object) -> list[Any] | tuple[Any, ...]:
    """`entities` if it is a list of entities of any package; otherwise raises `ContextError`."""
    if not isinstance(entities, list | tuple):
        raise ContextError(
            f"context.{kind.attribute} was set to a {type(entities).__name__}. Keep it a list."
        )
    for index, entity in enumerate(entities):
        if not (hasattr(entity, "model_dump") and hasattr(entity, "id")):
            raise ContextError(
                f"context.{kind.attribute}[{index}] is a {type(entity).__name__}. "
                f"Append entities only, such as sdk.{kind.model.__name__.removesuffix('Entity')}."
            )
    return entities


def _fields(kind: Kind, entity: Any) -> dict[str, Any]:
    # No warnings: values that JSON can't hold are refused below, and pydantic's warnings show values in clear.
    fields: dict[str, Any] = entity.model_dump(by_alias=False, exclude_none=False, warnings=False)
    if not isinstance(entity, kind.model):
        fields |= _in_our_form(kind, fields)
    return {name: value for name, value in fields.items() if name not in WRAPPER_FIELDS}


def _in_our_form(kind: Kind, fields: dict[str, Any]) -> dict[str, Any]:
    """A foreign model's fields as our model dumps them: otherwise a reference with nulls would look like a change."""
    try:
        ours = kind.model.model_validate(fields).model_dump(by_alias=False, warnings=False)
    except ValidationError:
        return {}
    return {name: value for name, value in ours.items() if name in fields}


def _create(kind: Kind, number: int, entity: Any) -> Update:
    update: Update = {
        "operation": "create",
        "entity": str(kind.entity_type),
        "id": number,
        "data": {**to_plain(_fields(kind, entity), f"new {kind.entity_type} {number}"), "id": number},
        "skipIfIdentifierExists": bool(getattr(entity, "skip_if_identifier_exists", False)),
    }
    if identifiers := getattr(entity, "identifier_fields", None):
        update["identifierFields"] = [str(getattr(field, "value", field)) for field in identifiers]
    return update


def _patches(kind: Kind, number: int, before: dict[str, Any], entity: Any, warn: Warn) -> Iterator[Update]:
    unknown = _unknown_fields(entity)
    for name, value in _fields(kind, entity).items():
        # True for nearly all fields of thousands of entities. To write both as JSON first takes ten times as long.
        if is_untouched(before.get(name), value):
            continue
        path = f"{kind.entity_type} {number}: {name}"
        new = to_plain(value, path)
        if _same(to_plain(before.get(name), path), new):
            continue
        if name in READ_ONLY_FIELDS:
            warn(f"{path} is read-only. The change is not sent; leave the field alone.")
        elif name in unknown:
            warn(f"{path} is not a field this SDK knows. The change is not sent.")
        else:
            yield {
                "operation": "patch",
                "entity": str(kind.entity_type),
                "id": number,
                "path": name,
                "value": new,
            }


def _unknown_fields(entity: Any) -> frozenset[str]:
    return frozenset(entity.model_extra or ()) if isinstance(entity, BaseModel) else frozenset()


def _same(before: Any, after: Any) -> bool:
    # Compared as text: in Python 1, 1.0 and True are equal, in JSON they are not.
    if isinstance(before, str | None):
        return bool(before == after)  # most fields, and much faster
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
