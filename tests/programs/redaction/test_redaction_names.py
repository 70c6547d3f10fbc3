"""The names of secrets: words of an operator's that say nothing count for nothing, and memory is bounded."""

import pytest

from jobrunner.protocol.masking import Mask, SecretNames


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
