"""Acquire items in the engine's wire shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from sdk.acquire import EntityAcquireByElasticQuery, EntityAcquireContext
from sdk.encoding import to_plain
from sdk.errors import AcquireError, join_problems
from sdk.parsing.problems import problems_of


def wire_items(items: Iterable[Any]) -> list[dict[str, Any]]:
    """`items` in the form that the engine accepts (engine contract: results): camelCase, without unset fields.

    Takes the classes of `sdk.acquire`, those of the generated client, and mappings in the wire shape.
    Raises `AcquireError` for any kind that a worker must not send.
    """
    return [_wire_item(item, f"acquires[{index}]") for index, item in enumerate(items)]


def _wire_item(item: Any, path: str) -> dict[str, Any]:
    if isinstance(item, BaseModel):
        raw: Any = item.model_dump(by_alias=True, exclude_none=True)
    elif isinstance(item, Mapping):
        raw = item
    else:
        raise AcquireError(f"{path} is a {type(item).__qualname__}. {_ADVICE}")
    model = _MODELS.get(str(raw.get("type")))
    if model is None:
        kind = raw.get("type")
        raise AcquireError(f"{path} is of type {kind!r}, which the engine takes from no worker. {_ADVICE}")
    if isinstance(item, Mapping):
        raw = _checked(model, item, path)
    plain: dict[str, Any] = to_plain(raw, path)
    return plain


def _checked(model: type[BaseModel], item: Mapping[str, Any], path: str) -> dict[str, Any]:
    # Only mappings are checked: the generated client has checked its own models, and knows their engine better.
    try:
        return model.model_validate(item).model_dump(by_alias=True, exclude_none=True)
    except ValidationError as error:
        problems = join_problems(problems_of(error))
        raise AcquireError(f"{path} does not fit {model.__name__}: {problems}. {_ADVICE}") from None


_MODELS: dict[str, type[BaseModel]] = {
    "elastic": EntityAcquireByElasticQuery,
    "context": EntityAcquireContext,
}
_ADVICE = "Return EntityAcquireByElasticQuery or EntityAcquireContext items."
