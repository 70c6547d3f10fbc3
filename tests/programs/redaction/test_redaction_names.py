"""The names of secrets: words of an operator's that say nothing count for nothing, and memory is bounded."""

import pytest

from jobrunner.protocol.masking import Mask, SecretNames
from jobrunner.protocol.masking.keyed import Keyed


@pytest.mark.parametrize("nothing", ["", " ", "-", "_.", " - "])
def test_a_word_of_separators_alone_makes_no_name_secret(nothing: str) -> None:
    names = SecretNames([nothing])
    assert "hostname" not in names
    assert "password" in names
    assert Mask((), names)("hostname=r1 password=x") == "hostname=r1 password=***"


@pytest.mark.parametrize("name", ["login pin", "loginPin", "LOGIN-PIN", "login__pin", "my.login.pin.2"])
def test_a_word_of_the_operator_s_is_known_however_it_is_written(name: str) -> None:
    assert name in SecretNames(["Login-Pin"])
    assert name not in SecretNames()


def test_names_are_remembered_up_to_a_bound() -> None:
    names = SecretNames()
    assert [f"password{number}" in names for number in range(5000)] == [True] * 5000
    assert len(names._known) == 4096
    assert "hostname" not in names


def test_masks_of_the_same_names_and_fields_share_what_finds_a_key_and_those_of_others_do_not() -> None:
    """To put it together takes longer than to mask most texts. What is secret is no part of it."""
    names, other = SecretNames(), SecretNames(["pin"])
    one, same = Keyed(names, ["code"], ["secret-1"]), Keyed(names, iter(["code"]), ["secret-2"])
    assert one._key is same._key
    for differs in (Keyed(names, ["codes"], []), Keyed(other, ["code"], [])):
        assert differs._key.pattern != one._key.pattern
    text = "code=1234567 pin=7654321"
    assert Mask((), names, ["code"])(text) == "code=*** pin=7654321"
    assert Mask((), other)(text) == "code=1234567 pin=***"
    assert Mask((), other, ["code"])(text) == "code=*** pin=***"
