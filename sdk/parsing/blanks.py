"""Blank strings from the engine count as absent.

In some cases the engine writes an omitted optional string as `""` (engine contract: block registration). So a blank
looks the same as no value. It is dropped wherever a model names a field: then the default applies, or the field is
missing. Strings in free mappings and lists are data, and stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, RootModel

from sdk.parsing import fields, typeforms


def without_blanks(model: type[BaseModel], raw: Mapping[str, Any]) -> dict[str, Any]:
    """`raw` without the blank strings in fields of `model` and of the models inside it."""
    return _prune_mapping([model], raw)


def _prune(candidates: list[Any], value: Any) -> Any:
    """`value` as one of the annotations in `candidates` would read it, without blanks."""
    if isinstance(value, Mapping):
        models = [model for candidate in candidates for model in typeforms.models_in(candidate)]
        if models:
            return _prune_mapping(models, value)
        inner = [item for candidate in candidates for item in typeforms.values_of_mapping(candidate)]
        return {key: _prune(inner, item) for key, item in value.items()} if inner else value
    roots = _roots(candidates)
    if isinstance(value, list):
        inner = [item for candidate in candidates + roots for item in typeforms.items_of_list(candidate)]
        return [_prune(inner, item) for item in value] if inner else value
    return value


def _prune_mapping(models: list[type[BaseModel]], raw: Mapping[str, Any]) -> dict[str, Any]:
    roots = _roots(list(models))
    if roots and len(roots) == len(models):
        pruned = _prune(roots, raw)
        return dict(pruned)
    readers = [fields.fields_by_key(model) for model in models]
    kept: dict[str, Any] = {}
    for key, value in raw.items():
        known = [reader[key][1].annotation for reader in readers if key in reader]
        if known and isinstance(value, str) and not value.strip():
            continue
        kept[key] = _prune(known, value) if known else value
    return kept


def _roots(candidates: list[Any]) -> list[Any]:
    """The annotations inside the root models among `candidates`."""
    return [
        model.model_fields["root"].annotation
        for candidate in candidates
        for model in typeforms.models_in(candidate)
        if issubclass(model, RootModel)
    ]
