"""Keys are found by their first words in small letters: no letter that counts as another may hide one."""

import re
import string
import sys

import pytest

from jobrunner.protocol.masking import Mask, SecretNames
from jobrunner.protocol.masking.small_letters import in_small_letters

ALL = "".join(map(chr, range(sys.maxunicode + 1)))


def test_small_letters_keep_the_length_of_every_character() -> None:
    assert {len(in_small_letters(letter)) for letter in ALL} == {1}


@pytest.mark.parametrize("letter", string.ascii_lowercase + string.digits + "_- .")
def test_what_an_expression_without_regard_to_case_takes_for_a_letter_becomes_that_letter(
    letter: str,
) -> None:
    taken = re.findall(re.escape(letter), ALL, re.IGNORECASE)
    assert {in_small_letters(each) for each in taken} == {letter}


@pytest.mark.parametrize(
    "text",
    ["password=hush", "PASSWORD=hush",
     "pa\u017f\u017fword=hush", "to\u212aen=hush", "é password=hush", "ap\u0131_key=hush",
     "AP\u0130_KEY=hush"],
)  # fmt: skip
def test_a_key_is_found_in_whatever_letters_it_is_written(text: str) -> None:
    assert Mask()(text) == text.replace("hush", "***")


@pytest.mark.parametrize(
    ("name", "written"), [("größe", "GRÖẞE"), ("κλειδίς", "ΚΛΕΙΔΊΣ"), ("\u212aey", "key")]
)
def test_a_name_in_another_alphabet_is_found_too(name: str, written: str) -> None:
    assert Mask(fields=[name])(f"{written}=hush") == f"{written}=***"
    assert Mask(names=SecretNames([name]))(f"{written}=hush") == f"{written}=***"


def test_a_key_inside_of_what_another_key_took_is_not_tried_again() -> None:
    assert Mask()("password=token=hush x") == "password=*** x"
    assert Mask()("secret_token=hush secret=hush") == "secret_token=*** secret=***"
