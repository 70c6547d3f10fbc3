"""Parameters and context of a test as the engine would send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, RootModel, Secret, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from sdk.context import WorkflowContext
from sdk.context.kinds import KINDS
from sdk.encoding import to_plain


def parameters_of(params: BaseModel | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `params` as a JSON object. Only what was set is in it, so the child applies its own defaults.

    Secrets are in it in clear, as they are in a real job. Raises `EncodingError`.
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
    if isinstance(value, Mapping):
        return {key: _revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(item) for item in value]
    return value


def _fields(model: BaseModel) -> Any:
    declared = type(model).model_fields
    named = {
        wire_name(name, declared[name]): _revealed(getattr(model, name))
        for name in declared
        if name in model.model_fields_set
    }
    return named | {name: _revealed(value) for name, value in (model.model_extra or {}).items()}


def wire_name(name: str, info: FieldInfo) -> str:
    """Return the key under which a model takes a field. Where it takes several, the field's own name."""
    return info.validation_alias if isinstance(info.validation_alias, str) else name


def context_of(context: WorkflowContext | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `context` as the JSON object of a job (engine contract: entities): a copy, whatever it was."""
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
