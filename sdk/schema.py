"""JSON schemas in the form that the engine needs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from sdk.errors import SchemaError

_ONE_SCHEMA = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_LIST_OF_SCHEMAS = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_SCHEMAS_BY_NAME = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})


class _Generator(GenerateJsonSchema):
    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        # No warning for a default that is not JSON: defaults are left out.
        if kind != "non-serializable-default":
            super().emit_warning(kind, detail)


def engine_schema(
    model: type[BaseModel], mode: Literal["validation", "serialization"] = "validation"
) -> dict[str, Any]:
    """The JSON schema of `model`, without its title and without any `default`.

    The engine fills defaults into a workflow's parameters (AJV with useDefaults; engine contract: block registration).
    They would replace values that are still to be interpolated, and `null` would become an explicit null.

    Parameters are described in the form in which they are read (`validation`, by alias), results in the form in which
    they are written (`serialization`, by field name, as `sdk.encoding` writes a model). Raises `SchemaError`.
    """
    try:
        schema = model.model_json_schema(
            mode=mode, by_alias=mode == "validation", schema_generator=_Generator
        )
    except (PydanticUserError, NameError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SchemaError(model.__qualname__, f"{_fields_to_blame(model, mode)}{reason}") from error
    schema.pop("title", None)
    plain: dict[str, Any] = _without_defaults(schema)
    return plain


def _fields_to_blame(model: type[BaseModel], mode: Literal["validation", "serialization"]) -> str:
    """The fields for which no schema can be made. Each is tried alone, because pydantic names none of them."""
    blamed: list[str] = []
    for name, field in model.model_fields.items():
        definition: dict[str, Any] = {name: (field.annotation, field)}
        try:
            alone = create_model("Alone", __config__=model.model_config, **definition)
            alone.model_json_schema(mode=mode, schema_generator=_Generator)
        except (PydanticUserError, NameError):
            blamed.append(name)
    return f"{'fields' if len(blamed) > 1 else 'field'} {', '.join(blamed)}: " if blamed else ""


def _without_defaults(schema: Any) -> Any:
    """A copy of a schema without the keyword `default`. A property of that name stays.

    It enters only what the standard calls a schema: an `enum`, `const` or `examples` holds data.
    """
    if not isinstance(schema, dict):
        return schema
    plain: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "default":
            continue
        if keyword in _LIST_OF_SCHEMAS and isinstance(value, list):
            plain[keyword] = [_without_defaults(item) for item in value]
        elif keyword in _SCHEMAS_BY_NAME and isinstance(value, dict):
            plain[keyword] = {name: _without_defaults(item) for name, item in value.items()}
        elif keyword in _ONE_SCHEMA:
            plain[keyword] = _without_defaults(value)
        else:
            plain[keyword] = value
    return plain
