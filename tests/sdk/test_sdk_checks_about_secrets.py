"""What an author's check says is shown only where nothing secret is at, around or below the place it is about."""

from typing import Annotated, Self

import pytest
from pydantic import BaseModel, Field, SecretStr, model_validator

from sdk import SENSITIVE, FunctionBlockParams
from sdk.errors import ParameterError
from sdk.parsing import parse_parameters

SAID = "told by the check"


class Refusing(BaseModel):
    refuse: bool = False

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.refuse:
            raise ValueError(SAID)
        return self


class Pin(Refusing):
    pin: Annotated[str, SENSITIVE] = ""


class Plain(Refusing):
    name: str = ""


class Login(Refusing):
    inner: Pin = Pin()
    plain: Plain = Plain()


class Holder(BaseModel):
    inner: Pin = Pin()


class Params(FunctionBlockParams):
    logins: list[Login] = Field(default=[])
    by_name: dict[str, Login] = Field(default={})
    names: dict[str, Plain] = Field(default={})
    either: Pin | int | None = None
    holder: Holder | int | None = None
    pins: list[SecretStr] = Field(default=[])
    plain: Plain = Plain()
    listed: list[Plain] = Field(default=[])


def said(raw: object) -> bool:
    with pytest.raises(ParameterError) as caught:
        parse_parameters(Params, raw)
    return SAID in str(caught.value)


REFUSE = {"refuse": True}


@pytest.mark.parametrize(
    "raw",
    [
        {"logins": [{"inner": REFUSE}]},
        {"logins": [REFUSE]},
        {"logins": [{}, {"inner": REFUSE}]},
        {"by_name": {"any": REFUSE}},
        {"by_name": {"any": {}, "other": {"inner": REFUSE}}},
        {"by_name": {"Any": REFUSE}},
        {"by_name": {"Any": {"inner": REFUSE}}},
        {"either": REFUSE},
        {"holder": {"inner": REFUSE}},
        {"names": {"pins": REFUSE}},
        {"names": {"pin": REFUSE}},
        {"names": {"password": REFUSE}},
    ],
)
def test_a_check_about_what_holds_a_secret_is_not_shown(raw: object) -> None:
    assert not said(raw)


@pytest.mark.parametrize(
    "raw",
    [
        {"plain": REFUSE},
        {"listed": [{}, REFUSE]},
        {"logins": [{"plain": REFUSE}]},
        {"names": {"other": REFUSE}},
        {"by_name": {"any": {"plain": REFUSE}}},
    ],
)
def test_a_check_about_what_holds_none_is_shown(raw: object) -> None:
    assert said(raw)
