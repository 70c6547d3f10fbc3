"""Strict reading of the parameters the engine sent."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, RootModel, field_validator

from sdk import SENSITIVE, FunctionBlockParams, SdkError
from sdk.errors import ParameterError
from sdk.parsing import parse_parameters

SECRET = "swordfish-1234"


class Host(BaseModel):
    ip: str
    username: str | None = None
    port: int = 22


class Hosts(RootModel[list[Host]]):
    pass


class ByName(BaseModel):
    kind: Literal["name"]
    name: str = "unnamed"


class ByNumber(BaseModel):
    kind: Literal["number"]
    number: int = 0


class Params(FunctionBlockParams):
    text: str = "default"
    note: str | None = "noted"
    host: Host | None = None
    hosts: list[Host] = Field(default=[])
    root: Hosts = Hosts([])
    pairs: tuple[Host, ...] = ()
    named: dict[str, Host] = Field(default={})
    either: Annotated[ByName | ByNumber, Field(discriminator="kind")] | None = None
    free: dict[str, Any] = Field(default={})
    words: list[str] = Field(default=[])
    renamed: str = Field(default="r", alias="reNamed")


class Needy(FunctionBlockParams):
    text: str
    count: int


def no_warning(message: str) -> None:
    raise AssertionError(message)


def parse(raw: Any) -> Params:
    return parse_parameters(Params, raw, no_warning)


@pytest.mark.parametrize("blank", ["", " ", "\t\n "])
def test_a_blank_string_from_the_engine_counts_as_absent(blank: str) -> None:
    params = parse({"text": blank, "note": blank, "reNamed": blank})
    assert (params.text, params.note, params.renamed) == ("default", "noted", "r")


def test_a_blank_string_for_a_required_field_is_reported_as_missing() -> None:
    with pytest.raises(ParameterError) as caught:
        parse_parameters(Needy, {"text": " ", "count": ""})
    assert [(problem.path, problem.type) for problem in caught.value.problems] == [
        ("text", "missing"),
        ("count", "missing"),
    ]


def test_blanks_count_as_absent_in_models_at_any_depth() -> None:
    blank = {"ip": "192.0.2.1", "username": "", "port": " "}
    expected = Host(ip="192.0.2.1")
    params = parse(
        {"host": blank, "hosts": [blank], "root": [blank], "pairs": [blank], "named": {"a": blank}}
    )
    assert params.host == expected
    assert params.hosts == [expected]
    assert params.root.root == [expected]
    assert params.pairs == (expected,)
    assert params.named == {"a": expected}


def test_blanks_count_as_absent_in_each_member_of_a_union() -> None:
    assert parse({"either": {"kind": "name", "name": ""}}).either == ByName(kind="name")
    assert parse({"either": {"kind": "number", "number": ""}}).either == ByNumber(kind="number")


def test_blanks_in_free_data_stay_what_they_are() -> None:
    params = parse({"free": {"a": "", "b": {"c": " "}}, "words": ["", "x"]})
    assert params.free == {"a": "", "b": {"c": " "}}
    assert params.words == ["", "x"]


def test_the_raw_parameters_are_left_alone() -> None:
    raw = {"text": "", "host": {"ip": "192.0.2.1", "username": ""}}
    parse(raw)
    assert raw == {"text": "", "host": {"ip": "192.0.2.1", "username": ""}}


def test_keys_the_model_does_not_know_are_named_in_one_warning_without_values() -> None:
    warnings: list[str] = []
    parse_parameters(Params, {"text": "a", "zeta": SECRET, "alpha": 1}, warnings.append)
    (warning,) = warnings
    assert "alpha, zeta" in warning
    assert SECRET not in warning


def test_a_warning_on_unknown_keys_stays_short_however_many_and_long_they_are() -> None:
    warnings: list[str] = []
    parse_parameters(
        Needy, {"text": "a", "count": 1} | {f"{n:03}" * 1000: 1 for n in range(300)}, warnings.append
    )
    assert "and 280 more" in warnings[0]
    assert len(warnings[0]) < 3000


def test_an_alias_is_a_known_key_and_a_name_behind_an_alias_is_not() -> None:
    class Aliased(FunctionBlockParams):
        one: int = Field(default=0, validation_alias=AliasChoices("uno", AliasPath("eins", "value")))
        two: int = Field(default=0, alias="zwei")

    warnings: list[str] = []
    params = parse_parameters(Aliased, {"eins": {"value": 1}, "zwei": 2}, warnings.append)
    assert (params.one, params.two, warnings) == (1, 2, [])
    parse_parameters(Aliased, {"two": 2}, warnings.append)
    assert len(warnings) == 1


def test_a_name_is_a_known_key_where_the_model_reads_by_name() -> None:
    class ByEither(FunctionBlockParams):
        model_config = ConfigDict(populate_by_name=True)
        two: int = Field(default=0, alias="zwei")

    assert parse_parameters(ByEither, {"two": 2}, no_warning).two == 2


def test_a_model_that_keeps_extra_keys_is_not_warned_of() -> None:
    class Keeping(FunctionBlockParams):
        model_config = ConfigDict(extra="allow")

    assert parse_parameters(Keeping, {"any": 1}, no_warning).model_extra == {"any": 1}


def test_problems_name_path_and_type_of_each() -> None:
    with pytest.raises(ParameterError) as caught:
        parse({"hosts": [{"ip": "a"}, {"ip": 5, "port": SECRET}], "words": 3})
    assert [(problem.path, problem.type) for problem in caught.value.problems] == [
        ("hosts[1].ip", "string_type"),
        ("hosts[1].port", "int_parsing"),
        ("words", "list_type"),
    ]
    assert caught.value.model == "Params"
    assert "hosts[1].port" in str(caught.value)


class Secretive(FunctionBlockParams):
    pin: Annotated[str, SENSITIVE] = "x"
    number: int = 0
    choice: Literal["a", "b"] = "a"
    either: Annotated[ByName | ByNumber, Field(discriminator="kind")] | None = None

    @field_validator("pin")
    @classmethod
    def check(cls, pin: str) -> str:
        raise ValueError(f"{pin} is too simple")


@pytest.mark.parametrize(
    "raw",
    [
        {"pin": SECRET},
        {"number": SECRET},
        {"choice": SECRET},
        {"either": {"kind": SECRET}},
        {"either": SECRET},
        SECRET,
    ],
    ids=str,
)
def test_no_value_appears_in_an_error_or_in_what_caused_it(raw: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_parameters(Secretive, raw)
    seen: BaseException | None = caught.value
    while seen is not None:
        assert SECRET not in str(seen)
        assert SECRET not in repr(getattr(seen, "problems", ""))
        # A suppressed context is not printed by a traceback.
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def test_a_validator_that_crashes_is_a_parameter_error() -> None:
    class Crashing(FunctionBlockParams):
        number: int

        @field_validator("number")
        @classmethod
        def crash(cls, number: int) -> int:
            raise KeyError(SECRET)

    with pytest.raises(ParameterError, match="KeyError") as caught:
        parse_parameters(Crashing, {"number": 1})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("raw", [None, [], "text", 5])
def test_parameters_that_are_no_object_are_a_parameter_error(raw: Any) -> None:
    with pytest.raises(SdkError, match="object"):
        parse_parameters(Params, raw)


def test_many_problems_are_cut_to_a_readable_message() -> None:
    with pytest.raises(ParameterError, match="and 15 more") as caught:
        parse({"hosts": [{}] * 25})
    assert len(caught.value.problems) == 25


class Checked(BaseModel):
    vlan: int = 0
    pin: Annotated[str, SENSITIVE] = ""
    password: str = ""
    inner: dict[str, Annotated[str, SENSITIVE]] = {}

    @field_validator("vlan", "pin", "password", "inner")
    @classmethod
    def refuse(cls, value: object) -> object:
        raise ValueError(f"{value} is not what we want")


def test_what_an_author_s_check_says_is_shown_unless_it_is_about_a_secret() -> None:
    given = {"vlan": 5000, "pin": "s3cret-1", "password": "s3cret-2", "inner": {"a": "s3cret-3"}}
    with pytest.raises(ParameterError) as caught:
        parse_parameters(Checked, given)
    assert "vlan: 5000 is not what we want" in str(caught.value)
    assert str(caught.value).count("refused by the model's own check") == 3
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(("count", "more"), [(19, ""), (20, ""), (21, " and 1 more"), (45, " and 25 more")])
def test_of_many_unknown_keys_twenty_are_named(count: int, more: str) -> None:
    warnings: list[str] = []
    parse_parameters(Host, {"ip": "x"} | {f"k{number:02}": 1 for number in range(count)}, warnings.append)
    named = ", ".join(f"k{number:02}" for number in range(min(count, 20)))
    (warning,) = warnings
    assert f"Parameters unknown to Host are ignored: {named}{more}. It knows: " in warning


def test_of_a_long_unknown_key_the_beginning_is_named() -> None:
    warnings: list[str] = []
    parse_parameters(Host, {"ip": "x", "k" * 61: 1}, warnings.append)
    assert f": {'k' * 60}. " in warnings[0]


def test_a_model_without_fields_knows_none() -> None:
    class Nothing(BaseModel):
        pass

    warnings: list[str] = []
    parse_parameters(Nothing, {"any": 1}, warnings.append)
    assert warnings == ["Parameters unknown to Nothing are ignored: any. It knows: none."]


class Aliased(BaseModel):
    one: int = Field(default=0, validation_alias=AliasPath("outer", "inner"))
    two: int = Field(default=0, validation_alias=AliasChoices("second", AliasPath("list", 1)))


def test_keys_of_aliases_are_known_by_their_first_step() -> None:
    given = {"outer": {"inner": 1}, "list": [0, 2]}
    parsed = parse_parameters(Aliased, given, no_warning)
    assert (parsed.one, parsed.two) == (1, 2)
    warnings: list[str] = []
    parse_parameters(Aliased, {"inner": 1, "one": 1}, warnings.append)
    assert warnings == [
        "Parameters unknown to Aliased are ignored: inner, one. It knows: list, outer, second."
    ]
