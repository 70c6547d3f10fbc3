"""The keys by which a model's field can be given."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

ANY = "*"
"""In a path, it means every element of a list, and every value of an object."""

Path = tuple[str, ...]


def places_of(model: type[BaseModel], name: str, field: FieldInfo) -> tuple[Path, ...]:
    """All places in a mapping from which `field` is read: a key, or the steps of an `AliasPath`."""
    by_name = bool(model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name"))
    aliases = tuple(places_of_alias(field.validation_alias))
    return (*aliases, (name,)) if by_name or not aliases else aliases


def keys_of(model: type[BaseModel], name: str, field: FieldInfo) -> frozenset[str]:
    """All keys by which `field` is read from a mapping."""
    return frozenset(place[0] for place in places_of(model, name, field))


def fields_by_key(model: type[BaseModel]) -> dict[str, tuple[str, FieldInfo]]:
    """Each key that a model reads, with the name and the field that it belongs to."""
    return {
        key: (name, field)
        for name, field in model.model_fields.items()
        for key in keys_of(model, name, field)
    }


def places_of_alias(alias: str | AliasPath | AliasChoices | None) -> Iterator[Path]:
    """The places that an alias names. An element of a list means any element."""
    if isinstance(alias, str):
        yield (alias,)
    elif isinstance(alias, AliasPath):
        if isinstance(alias.path[0], str):
            yield tuple(step if isinstance(step, str) else ANY for step in alias.path)
    elif isinstance(alias, AliasChoices):
        for choice in alias.choices:
            yield from places_of_alias(choice)
