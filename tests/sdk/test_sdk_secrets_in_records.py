"""Declared secrets are found in all that pydantic reads an object into: in the order, and in what the block gets."""

import dataclasses
from collections import deque
from typing import Annotated, Any, Generic, NamedTuple, NotRequired, TypeVar

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, RootModel, SecretStr, create_model
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from jobrunner.protocol.masking import SecretNames, secrets_in
from sdk import SENSITIVE
from sdk.parsing.sensitive_paths import MAX_PATHS, sensitive_paths
from sdk.sensitive import collect_secrets

T = TypeVar("T")


class Host(BaseModel):
    ip: str = ""
    psk: Annotated[str, SENSITIVE] = Field(default="", validation_alias=AliasChoices("psk", "PSK"))


class Hosts(RootModel[list[Host]]):
    pass


class Sites(RootModel[dict[str, Hosts]]):
    pass


class Psk(RootModel[Annotated[str, SENSITIVE]]):
    pass


class Wrapped(RootModel[SecretStr]):
    pass


class Tree(RootModel[Any]):
    root: "dict[str, Tree] | Host"


@dataclasses.dataclass
class Login:
    user: str
    key: Annotated[str, SENSITIVE]
    pin: SecretStr | None = None
    other: "Login | None" = None
    hosts: Hosts | None = None


@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    user: str
    key: Annotated[str, SENSITIVE]


@pydantic_dataclass
class Aliased:
    user: str
    key: Annotated[str, SENSITIVE] = Field(alias="theKey")
    code: Annotated[str, SENSITIVE, Field(validation_alias=AliasPath("codes", 0))] = ""


@pydantic_dataclass(config=ConfigDict(alias_generator=str.upper))
class Generated:
    key: Annotated[str, SENSITIVE]


@dataclasses.dataclass
class Box(Generic[T]):
    items: list[T]
    only: T | None = None


class Entry(TypedDict):
    name: str
    code: NotRequired[Annotated[str, SENSITIVE]]
    short: NotRequired[Annotated[str, Field(alias="longer"), SENSITIVE]]
    hosts: NotRequired[list[Host]]
    login: NotRequired[Login]
    entries: NotRequired["list[Entry]"]


class Pair(NamedTuple):
    name: str
    code: Annotated[str, SENSITIVE]


ONE, TWO = "correct-horse-1", "correct-horse-2"


def model_with(annotation: Any) -> type[BaseModel]:
    definition: dict[str, Any] = {"it": (annotation, ...)}
    return create_model("Parameters", **definition)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Hosts, [{"ip": "shown", "psk": ONE}, {"PSK": TWO}], {ONE, TWO}),
        (Sites, {"bern": [{"psk": ONE}], "root": [{"psk": TWO}]}, {ONE, TWO}),
        (Psk, ONE, {ONE}),
        (dict[str, Wrapped], {"any": ONE}, {ONE}),
        (Tree, {"psk": ONE}, {ONE}),
        (Login, {"user": "shown", "key": ONE, "pin": TWO}, {ONE, TWO}),
        (list[Login] | None, [{"user": "shown", "key": ONE, "hosts": [{"psk": TWO}]}], {ONE, TWO}),
        (deque[Slotted], [{"user": "shown", "key": ONE}], {ONE}),
        (Aliased, {"user": "shown", "theKey": ONE, "codes": [TWO]}, {ONE, TWO}),
        (Generated, {"KEY": ONE}, {ONE}),
        (Box[SecretStr], {"items": [ONE], "only": TWO}, {ONE, TWO}),
        (Box[Host], {"items": [{"psk": ONE}], "only": {"ip": "shown", "psk": TWO}}, {ONE, TWO}),
        (Entry, {"name": "shown", "code": ONE, "longer": TWO}, {ONE, TWO}),
        (dict[str, Entry], {"any": {"name": "shown", "code": ONE, "hosts": [{"psk": TWO}]}}, {ONE, TWO}),
        (Entry, {"name": "shown", "login": {"user": "shown", "key": ONE}}, {ONE}),
        (Pair, {"name": "shown", "code": ONE}, {ONE}),
    ],
)
def test_the_order_and_the_parameters_that_are_read_from_it_have_the_same_secrets(
    annotation: Any, value: object, expected: set[str]
) -> None:
    model = model_with(annotation)
    order = {"it": value, "root": "shown"}
    of_parameters = collect_secrets(model.model_validate(order))
    assert of_parameters == expected
    of_order = set(secrets_in(order, SecretNames(), sensitive_paths(model)))
    # Of a NamedTuple, all elements: a path does not number them.
    assert of_order == expected | ({"shown"} if annotation is Pair else set())


def test_of_a_list_that_becomes_a_named_tuple_all_is_secret_in_the_order() -> None:
    model = model_with(Pair)
    order = {"it": ["all-of-it", ONE]}
    assert set(secrets_in(order, SecretNames(), sensitive_paths(model))) == {"all-of-it", ONE}
    assert collect_secrets(model.model_validate(order)) == {ONE}


def test_a_dataclass_and_a_typed_dict_may_have_the_aliases_of_the_model_around_them() -> None:
    class Around(BaseModel):
        login: Slotted
        entry: Entry

        model_config = ConfigDict(alias_generator=lambda name: f"the-{name}")

    paths = sensitive_paths(Around)
    assert {("the-login", "the-key"), ("the-entry", "the-code"), ("the-entry", "longer")} <= set(paths)


def test_an_alias_generator_that_takes_no_such_name_hinders_nothing() -> None:
    @pydantic_dataclass(config=ConfigDict(alias_generator={"user": "USER"}.__getitem__))
    class Picky:
        user: str
        key: Annotated[str, SENSITIVE] = Field(alias="theKey")

    assert ("it", "theKey") in sensitive_paths(model_with(Picky))


def test_a_secret_behind_a_path_of_keys_is_found_there_and_nowhere_else() -> None:
    class Deep(BaseModel):
        hosts: Hosts = Field(validation_alias=AliasPath("outer", 0, "hosts"))
        code: Annotated[str, SENSITIVE] = Field(validation_alias=AliasPath("outer", 1, "code"))

    order = {"outer": [{"hosts": [{"ip": "shown", "psk": ONE}]}, {"code": TWO, "name": "shown"}]}
    assert set(secrets_in(order, SecretNames(), sensitive_paths(Deep))) == {ONE, TWO}
    assert collect_secrets(Deep.model_validate(order)) == {ONE, TWO}


def test_no_key_of_the_order_is_called_root_for_a_root_model() -> None:
    paths = [path for kind in (Hosts, Sites, Psk, Tree) for path in sensitive_paths(model_with(kind))]
    assert {step for path in paths for step in path} == {"it", "*", "psk", "PSK"}


def test_a_dataclass_that_holds_itself_is_followed_as_a_model_is() -> None:
    paths = sensitive_paths(model_with(Login))
    assert {path for path in paths if "other" in path} == set()
    login = Login("shown", ONE, other=Login("shown", "third", pin=SecretStr(TWO)))
    login.other.other = login  # type: ignore[union-attr]
    assert collect_secrets([login]) == {ONE, TWO, "third"}


def test_all_of_a_dataclass_is_secret_in_the_order_where_its_hints_say_nothing() -> None:
    @dataclasses.dataclass
    class Lost:
        name: "Nowhere"  # type: ignore[name-defined]  # noqa: F821
        key: Annotated[str, SENSITIVE]
        password: str

    class Parameters(BaseModel):
        lost: Lost

    assert sensitive_paths(Parameters) == (("lost",),)
    assert collect_secrets(Lost("shown", "any", ONE)) == {ONE}


def test_dataclasses_with_too_many_ways_through_them_are_secret_where_nobody_has_looked() -> None:
    kinds = [dataclasses.make_dataclass(f"Kind{number}", []) for number in range(12)]
    model = model_with(kinds[0])
    for kind in kinds:
        kind.__annotations__ = {f"f{number}": other for number, other in enumerate(kinds)}
    paths = sensitive_paths(model)
    assert ("it", "f11") in paths
    assert len(paths) <= MAX_PATHS
