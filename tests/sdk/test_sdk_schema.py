"""The schemas the engine gets."""

import enum
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, computed_field

from sdk import FunctionBlockParams, FunctionBlockResultData
from sdk.encoding import to_plain
from sdk.errors import SchemaError
from sdk.schema import engine_schema


class Level(enum.Enum):
    LOW = "low"


class Inner(BaseModel):
    default: str = "x"
    size: int = 3


class Params(FunctionBlockParams):
    default: str = "y"
    inner: Inner = Inner()
    many: list[Inner] = Field(default_factory=list)
    named: dict[str, Inner] = Field(default={})
    either: int | Inner | None = None
    level: Level = Level.LOW
    choice: Any = Field(
        default=None, json_schema_extra={"enum": [{"default": 1}], "examples": [{"default": 2}]}
    )
    needed: str


def defaults_in(value: Any, path: str = "") -> list[str]:
    """Paths of all keys named `default` that are not names of properties."""
    if isinstance(value, list):
        return [each for item in value for each in defaults_in(item, path)]
    if not isinstance(value, dict):
        return []
    found = []
    for key, item in value.items():
        if key == "default" and not path.endswith("/properties"):
            found.append(path)
        found += defaults_in(item, f"{path}/{key}")
    return found


def test_no_default_is_left_but_a_property_of_that_name_is() -> None:
    schema = engine_schema(Params)
    assert set(defaults_in(schema)) == {"/properties/choice/enum", "/properties/choice/examples"}
    assert "default" in schema["properties"]
    assert "default" in schema["$defs"]["Inner"]["properties"]


def test_data_inside_a_schema_is_not_taken_for_a_schema() -> None:
    choice = engine_schema(Params)["properties"]["choice"]
    assert choice["enum"] == [{"default": 1}]
    assert choice["examples"] == [{"default": 2}]


def test_only_what_has_no_default_is_required_and_the_title_is_gone() -> None:
    schema = engine_schema(Params)
    assert schema["required"] == ["needed"]
    assert "title" not in schema


def test_parameters_are_described_by_the_key_that_is_read() -> None:
    class Aliased(FunctionBlockParams):
        host_name: str = Field(alias="hostName")

    assert list(engine_schema(Aliased)["properties"]) == ["hostName"]


def test_the_result_schema_describes_what_is_written() -> None:
    class Result(FunctionBlockResultData):
        host_name: str = Field(alias="hostName")
        price: Decimal = Decimal(1)
        took: timedelta = timedelta(0)

        @computed_field
        @property
        def twice(self) -> str:
            return self.host_name * 2

    schema = engine_schema(Result, "serialization")
    written = to_plain(Result(hostName="a"))
    assert set(schema["properties"]) == set(written) == {"host_name", "price", "took", "twice"}
    assert schema["properties"]["price"]["type"] == "string"
    assert schema["additionalProperties"] is False


def test_a_default_that_is_no_json_is_not_warned_of() -> None:
    class Odd(FunctionBlockParams):
        odd: Any = object()

    assert engine_schema(Odd)["properties"] == {"odd": {"title": "Odd"}}


def test_a_model_that_can_not_be_described_is_an_error_that_names_it() -> None:
    class Callback:
        pass

    class Indescribable(FunctionBlockParams):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        fine: Annotated[Callback, WithJsonSchema({"type": "string"})]
        callback: Callback

    with pytest.raises(SchemaError, match=r"made of .*Indescribable: field callback: "):
        engine_schema(Indescribable)
