"""Under which keys a model's field can be given."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo


def keys_of(model: type[BaseModel], name: str, field: FieldInfo) -> frozenset[str]:
    """All keys under which `field` is read from a mapping."""
    by_name = bool(model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name"))
    aliases = frozenset(_first_keys(field.validation_alias))
    return aliases | {name} if by_name or not aliases else aliases


def fields_by_key(model: type[BaseModel]) -> dict[str, tuple[str, FieldInfo]]:
    """Each key a model reads, with the name and the field it stands for."""
    return {
        key: (name, field)
        for name, field in model.model_fields.items()
        for key in keys_of(model, name, field)
    }


def _first_keys(alias: str | AliasPath | AliasChoices | None) -> Iterator[str]:
    if isinstance(alias, str):
        yield alias
    elif isinstance(alias, AliasPath):
        if isinstance(alias.path[0], str):
            yield alias.path[0]
    elif isinstance(alias, AliasChoices):
        for choice in alias.choices:
            yield from _first_keys(choice)
