"""Which values are secret, and masking them."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, Secret, SecretBytes, SecretStr

from sdk import SENSITIVE
from sdk.sensitive import MASK, Masker, collect_secrets, is_secret_name


class Login(BaseModel):
    user: str = "admin"
    password: str | None = "pass-1"
    marked: Annotated[str, Field(max_length=99), SENSITIVE] = "marked-1"
    many: Annotated[dict[str, list[str]], SENSITIVE] = {"a": ["many-1", "many-2"]}
    optional: Annotated[str, SENSITIVE] | None = "optional-1"
    inside: list[Annotated[str, SENSITIVE]] = Field(default=["inside-1"])
    wrapped: SecretStr = SecretStr("wrapped-1")
    raw: SecretBytes = SecretBytes(b"raw-1")
    typed: Secret[str] = Secret("typed-1")
    free: dict[str, Any] = {"apiKey": "free-1", "api-key": "free-2", "other": "shown"}


def test_marked_fields_secret_names_and_pydantic_secrets_are_found_at_any_depth() -> None:
    expected = {"pass-1", "marked-1", "many-1", "many-2", "optional-1", "inside-1"}
    expected |= {"wrapped-1", "raw-1", "typed-1", "free-1", "free-2"}
    assert collect_secrets(Login()) == expected
    assert collect_secrets({"logins": [(Login(),)]}) == expected


@pytest.mark.parametrize(
    "name", ["password", "enablePassword", "SNMP_SECRET", "auth-token", "api_key", "passphrase"]
)
def test_names_that_speak_of_a_secret_are_known(name: str) -> None:
    assert is_secret_name(name)


def test_nulls_numbers_and_very_short_strings_are_no_secrets() -> None:
    assert collect_secrets({"password": None, "token": 5, "secret": "ab"}) == frozenset()


def test_a_circle_and_any_depth_are_no_problem() -> None:
    circle: dict[str, Any] = {"password": "found"}
    circle["again"] = [circle]
    for _ in range(10_000):
        circle = {"deeper": circle}
    assert collect_secrets(circle) == {"found"}


@given(st.sets(st.text(min_size=3, max_size=8), max_size=5), st.text(max_size=20))
def test_no_secret_is_left_in_a_masked_text(secrets: set[str], filler: str) -> None:
    hide = Masker(secrets)
    text = filler.join(sorted(secrets))
    for form in (text, repr(text)):
        left = hide(form).replace(MASK, "")
        assert not any(secret in left for secret in secrets if secret not in filler * 3 and "*" not in secret)


def test_a_secret_that_begins_with_another_is_masked_as_a_whole() -> None:
    assert Masker({"abc", "abcdef"})("abcdef abc") == "*** ***"


def test_a_secret_is_found_where_repr_or_json_has_escaped_it() -> None:
    assert Masker({"a'b\"c\nd"})("x 'a\\'b\"c\\nd' y a'b\\\"c\\nd") == "x '***' y ***"


def test_without_secrets_a_text_stays_as_it_is() -> None:
    assert Masker(())("a text") == "a text"
