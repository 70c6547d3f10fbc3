"""Reading of parameters while acquiring, when the engine could not resolve all of them."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sdk import FunctionBlockParams
from sdk.parsing import parse_leniently


class Host(BaseModel):
    ip: str


class Params(FunctionBlockParams):
    name: str
    host: Host
    limit: int = 10
    note: str | None = "noted"
    tags: list[str] = Field(default_factory=lambda: ["t"])
    small: int = Field(default=1, le=5)
    mode: Literal["a", None] = "a"

    @field_validator("limit")
    @classmethod
    def check(cls, limit: int) -> int:
        if limit > 100:
            raise ValueError("too many")
        if limit < 0:
            raise RuntimeError("a bug of the author")
        return limit

    def label(self) -> str:
        return f"<{self.name}>"


GOOD: dict[str, Any] = {"name": "n", "host": {"ip": "192.0.2.1"}, "limit": 7}


def parse(raw: Any, model: type[BaseModel] = Params) -> tuple[Any, dict[str, str], list[str]]:
    warnings: list[str] = []
    partial, reasons = parse_leniently(model, raw, warnings.append)
    return partial, reasons, warnings


def test_complete_parameters_are_read_as_usual() -> None:
    partial, reasons, warnings = parse(GOOD)
    assert partial.model_dump() == Params(**GOOD).model_dump()
    assert isinstance(partial, Params)
    assert partial.label() == "<n>"
    assert (reasons, warnings) == ({}, [])


def test_a_required_field_that_is_absent_is_none_and_reported() -> None:
    partial, reasons, _ = parse({"host": GOOD["host"]})
    assert partial.name is None
    assert reasons == {"name": "absent"}


def test_a_default_that_applies_is_not_reported() -> None:
    partial, reasons, _ = parse({"name": "n", "host": GOOD["host"]})
    assert (partial.limit, partial.tags, reasons) == (10, ["t"], {})


def test_a_null_for_a_field_that_takes_none_counts_as_absent_and_is_reported() -> None:
    partial, reasons, _ = parse(GOOD | {"name": None, "limit": None})
    assert (partial.name, partial.limit) == (None, 10)
    assert set(reasons) == {"name", "limit"}
    assert all("null" in reason for reason in reasons.values())


def test_a_null_for_a_field_that_takes_one_stays() -> None:
    partial, reasons, _ = parse(GOOD | {"note": None, "mode": None})
    assert (partial.note, partial.mode, reasons) == (None, None, {})


def test_a_blank_string_counts_as_absent() -> None:
    partial, reasons, _ = parse(GOOD | {"name": " ", "note": ""})
    assert (partial.name, partial.note) == (None, "noted")
    assert reasons == {"name": "absent"}


@pytest.mark.parametrize(
    ("change", "field", "fallback"),
    [
        ({"limit": "many"}, "limit", 10),
        ({"limit": 500}, "limit", 10),
        ({"limit": -1}, "limit", 10),
        ({"small": 6}, "small", 1),
        ({"tags": ["a", 5]}, "tags", ["t"]),
        ({"name": 5}, "name", None),
        ({"host": {"ip": ["deep"]}}, "host", None),
        ({"host": {}}, "host", None),
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_falls_back_as_a_whole_and_is_reported(
    change: dict[str, Any], field: str, fallback: Any
) -> None:
    partial, reasons, _ = parse(GOOD | change)
    assert getattr(partial, field) == fallback
    assert set(reasons) == {field}
    others = set(GOOD) - {field}
    assert {name: getattr(partial, name) for name in others} == {
        name: getattr(Params(**GOOD), name) for name in others
    }


class Related(FunctionBlockParams):
    low: int = 1
    high: int
    names: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def ordered(self) -> "Related":
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


@pytest.mark.parametrize(
    "raw", [{"low": 9, "high": 2, "names": ["x"]}, {"low": 9}], ids=["refuses", "crashes"]
)
def test_a_validator_of_the_whole_class_that_fails_leaves_all_at_defaults(raw: dict[str, Any]) -> None:
    partial, reasons, _ = parse(raw, Related)
    assert isinstance(partial, Related)
    assert (partial.low, partial.high, partial.names) == (1, None, [])
    assert set(reasons) == {"low", "high", "names"}


def test_one_warning_tells_all_that_is_unresolved_without_values() -> None:
    _, _, warnings = parse({"limit": "swordfish", "host": None})
    (warning,) = warnings
    assert all(name in warning for name in ("name", "limit", "host"))
    assert "swordfish" not in warning


def test_a_default_is_never_shared_between_two_jobs() -> None:
    class Shared(FunctionBlockParams):
        items: list[int] = Field(default=[1])

    first, _, _ = parse({"items": "bad"}, Shared)
    first.items.append(2)
    second, _, _ = parse({"items": "bad"}, Shared)
    assert second.items == [1]


def test_the_models_own_strictness_is_not_touched() -> None:
    parse(GOOD)
    with pytest.raises(ValidationError):
        Params(limit=1)


def test_a_model_that_forbids_extra_keys_is_read_all_the_same() -> None:
    class Forbidding(FunctionBlockParams):
        model_config = ConfigDict(extra="forbid")
        number: int = 0

    partial, reasons, _ = parse({"number": 3, "other": 1}, Forbidding)
    assert (partial.number, reasons) == (3, {})


@pytest.mark.parametrize("raw", [None, [], "text", 5])
def test_parameters_that_are_no_object_count_as_none_at_all(raw: Any) -> None:
    partial, reasons, _ = parse(raw)
    assert set(reasons) == {"name", "host"}
    assert partial.limit == 10


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Params.model_fields, "other"]), json_values))
def test_no_input_makes_it_raise_and_what_is_none_is_reported(raw: dict[str, Any]) -> None:
    partial, reasons, _ = parse(raw)
    for name in ("name", "host", "limit", "tags", "small"):
        assert getattr(partial, name) is not None or name in reasons


def test_keys_that_the_model_does_not_know_are_named_in_one_warning() -> None:
    _, reasons, warnings = parse({**GOOD, "stray": 1, "other": "s3cret"})
    (warning,) = warnings
    assert warning.startswith("Parameters unknown to Params are ignored: other, stray. It knows: ")
    assert "s3cret" not in warning
    assert reasons == {}


def test_of_many_problems_in_one_field_three_are_told() -> None:
    class Many(FunctionBlockParams):
        numbers: list[int] = Field(default=[])

    _, reasons, _ = parse({"numbers": ["a", "b", "c", "d", "e"]}, Many)
    assert reasons["numbers"].count("; ") == 2
    assert "[2]" in reasons["numbers"]
    assert "[3]" not in reasons["numbers"]


def test_without_a_warn_of_the_caller_s_the_log_is_told(caplog: pytest.LogCaptureFixture) -> None:
    parse_leniently(Params, GOOD | {"limit": "many", "stray": 1})
    ignored, unusable = caplog.messages
    assert ignored.startswith("Parameters unknown to Params are ignored: stray.")
    assert unusable == (
        "Parameters of Params not usable while acquiring: "
        "limit (did not fit (Input should be a valid integer, unable to parse string as an integer))."
    )


def test_blanks_stay_where_they_are_values() -> None:
    partial, reasons = parse_leniently(Params, GOOD | {"name": " "}, blanks_are_absent=False)
    assert (partial.name, reasons) == (" ", {})


def test_a_reason_names_the_place_inside_of_a_field_and_a_bug_of_its_check() -> None:
    _, reasons, _ = parse(GOOD | {"host": {}, "limit": -1})
    assert reasons == {
        "host": "did not fit (ip: missing)",
        "limit": "did not fit (its validator raised RuntimeError)",
    }


def test_a_default_s_factory_that_fails_leaves_none() -> None:
    class Failing(FunctionBlockParams):
        number: int = Field(default_factory=lambda: 1 // 0)

    partial, reasons, _ = parse({"number": "many"}, Failing)
    assert partial.number is None
    assert set(reasons) == {"number"}


def test_the_none_of_a_required_field_is_not_validated_where_a_model_validates_its_defaults() -> None:
    class Validating(FunctionBlockParams):
        model_config = ConfigDict(validate_default=True)
        number: int
        text: str

    partial, reasons, _ = parse({"text": "x"}, Validating)
    assert (partial.number, partial.text) == (None, "x")
    assert reasons == {"number": "absent"}
