"""The JSON schema of a model, as the engine is told."""

from sdk.compat.migration_hints import refusing
from sdk.schema import engine_schema as generate_json_schema

__all__ = ["generate_json_schema"]

__getattr__ = refusing(__name__)
