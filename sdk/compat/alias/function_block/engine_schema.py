"""Schemas without defaults. This SDK sends every schema so. The names exist for the blocks that use them."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from sdk.compat.migration_hints import refusing
from sdk.models import FunctionBlockParams


def remove_schema_defaults(value: Any) -> None:
    """Remove every `default` from `value`, a schema or a part of one, in place."""
    if isinstance(value, dict):
        value.pop("default", None)
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            remove_schema_defaults(part)


ENGINE_SCHEMA_CONFIG = ConfigDict(extra="ignore", json_schema_extra=remove_schema_defaults)


class EngineSchemaFunctionBlockParams(FunctionBlockParams):
    """Parameters whose schema has no defaults."""

    model_config = ENGINE_SCHEMA_CONFIG


__all__ = ["ENGINE_SCHEMA_CONFIG", "EngineSchemaFunctionBlockParams", "remove_schema_defaults"]

__getattr__ = refusing(__name__)
