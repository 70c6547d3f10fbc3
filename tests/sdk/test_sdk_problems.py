"""What is told of a validation error: where it is, and what a check of the author's says where nothing is secret."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from typing_extensions import TypeAliasType

from sdk import SENSITIVE
from sdk.parsing.problems import path_of, problems_of

VALUE = "swordfish-1234"


def refuse(value: Any) -> Any:
    raise ValueError(f"{VALUE}, and more, is not what we want")


class Login(BaseModel):
    pin: Annotated[str, SENSITIVE] = ""
    user: str = ""

    @model_validator(mode="before")
    @classmethod
    def check(cls, value: Any) -> Any:
        return refuse(value)


class Place(BaseModel):
    room: str = ""

    _check = field_validator("room")(refuse)


class ByPins(BaseModel):
    kind: Literal["pins"] = "pins"
    pins: list[Annotated[str, Field(min_length=1)]] = []
    others: list[SecretStr] = []

    _check = field_validator("others", "pins")(refuse)


class ByPlace(BaseModel):
    kind: Literal["place"] = "place"


class Params(BaseModel):
    login: Login | int | None = None
    logins: list[Login] | dict[str, Login] | None = None
    place: Place | int | None = None
    tagged: Annotated[ByPins | ByPlace, Field(discriminator="kind")] | None = None


def told(raw: dict[str, Any], model: type[BaseModel] = Params) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(raw)
    return {problem.path: problem.text for problem in problems_of(caught.value, model)}


def shows(text: str) -> bool:
    return VALUE in text


@pytest.mark.parametrize(
    ("raw", "path", "is_shown"),
    [
        ({"login": {}}, "login.Login", False),
        ({"logins": [{}]}, "logins.list[Login][0]", False),
        ({"logins": {"a": {}}}, "logins.dict[str,Login].a", False),
        ({"place": {"room": "x"}}, "place.Place.room", True),
        ({"tagged": {"kind": "pins", "pins": ["x"]}}, "tagged.pins.pins", True),
        ({"tagged": {"kind": "pins", "others": ["x"]}}, "tagged.pins.others", False),
    ],
)
def test_what_a_check_says_is_shown_where_nothing_secret_is_at_around_or_below_it(
    raw: dict[str, Any], path: str, is_shown: bool
) -> None:
    assert shows(told(raw)[path]) is is_shown


def test_what_a_check_says_is_shown_without_the_kind_of_error_before_it() -> None:
    assert told({"place": {"room": "x"}})["place.Place.room"] == f"{VALUE}, and more, is not what we want"


def test_a_check_s_text_is_never_shown_where_the_model_is_not_known() -> None:
    with pytest.raises(ValidationError) as caught:
        Place(room="x")
    (problem,) = problems_of(caught.value)
    assert problem.text == "refused by the model's own check (value_error)"


def test_a_missing_field_is_missing_and_a_wrong_type_is_named() -> None:
    class Two(BaseModel):
        one: int
        two: int

    assert told({"two": []}, Two) == {"one": "missing", "two": "Input should be a valid integer"}


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ((), "(all)"),
        (("hosts", 0, "ip"), "hosts[0].ip"),
        (("a" * 60,), "a" * 60),
        (("a" * 61,), "a" * 60),
    ],
)
def test_a_location_is_written_as_a_path(location: tuple[Any, ...], path: str) -> None:
    assert path_of(location) == path


Named = TypeAliasType("Named", list[Login])


def test_what_has_a_name_of_its_own_is_looked_into() -> None:
    class Aliased(BaseModel):
        logins: Named | None = None

    ((path, text),) = told({"logins": [{}]}, Aliased).items()
    assert path.startswith("logins")
    assert not shows(text)
