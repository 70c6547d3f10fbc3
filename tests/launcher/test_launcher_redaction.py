"""Masking: every secret of a job's parameters and context, wherever its text goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from supervisor.redaction import MASK, Mask


@pytest.mark.parametrize(
    "document",
    [
        {"password": "hunter2-x"},
        {"enable_password": "hunter2-x"},
        {"snmpCommunity": "hunter2-x"},
        {"apiKey": "hunter2-x"},
        {"API_KEY": "hunter2-x"},
        {"auth": {"token": {"value": ["hunter2-x"]}}},
        {"devices": [{"name": "r1"}, {"credentials": {"passphrase": "hunter2-x"}}]},
    ],
)
def test_the_value_under_a_key_that_names_a_secret_is_masked(document: object) -> None:
    assert Mask(document)("<hunter2-x>") == f"<{MASK}>"


def test_the_secrets_of_all_documents_are_masked() -> None:
    mask = Mask({"password": "first-one"}, {"secret": "second-one"})
    assert mask("first-one second-one third-one") == f"{MASK} {MASK} third-one"


def test_a_secret_that_begins_with_another_is_masked_whole() -> None:
    mask = Mask({"password": "swordfish", "token": "swordfish-and-more"})
    assert mask("swordfish-and-more, swordfish") == f"{MASK}, {MASK}"


def test_a_secret_with_signs_of_a_pattern_is_taken_literally() -> None:
    assert Mask({"password": "a.*b+(c"})("a.*b+(c axxb") == f"{MASK} axxb"


@pytest.mark.parametrize("value", ["", "cisco", "1234567"])
def test_words_too_short_to_be_told_from_others_are_left_alone(value: str) -> None:
    text = f"the {value} of 1234567"
    assert Mask({"password": value})(text) == text


@pytest.mark.parametrize("document", [{}, None, [], "text", {"name": "router-one"}, {"password": None}])
def test_without_secrets_nothing_changes(document: object) -> None:
    assert Mask(document)("router-one text") == "router-one text"


secrets = some.text(min_size=6, max_size=20).filter(lambda text: not text.isdecimal() and MASK not in text)


@given(secrets, some.text(max_size=20), some.text(max_size=20))
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    masked = Mask({"password": secret})(before + secret + after)
    assert secret not in masked or secret in before + MASK + after
