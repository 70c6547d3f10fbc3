"""Where masking begins and ends: at the edges of a text, beside a gap, and at each bound on both of its sides."""

import base64
import json
import re
import reprlib
import string
import urllib.parse
from collections.abc import Callable

import pytest

from jobrunner.protocol.masking import MASK, Mask
from jobrunner.protocol.masking.effort import Effort
from jobrunner.protocol.masking.needles import Needles
from tests.programs.redaction.reading import leaked
from tests.programs.redaction.writing import WRITINGS

SECRET = "swordfish-7"
SECRET_OF_WORDS = "Geheimes Passwort"
SIGNS = "p&q;r!s:t?u(v)w{x}y[z]a<b>c,d.e$f#g@h~i`j|k^l*m%n"
WORDS = "correct horse battery staple and some more words that nobody knows"
LONG = "".join(f"{number:02x}{sign}" for number, sign in enumerate(string.ascii_letters + string.digits))
assert len(LONG) == 186


def test_two_secrets_that_touch_are_masked_as_one() -> None:
    mask = Mask([SECRET, "hunter2-x"])
    assert mask(f"{SECRET}hunter2-x {SECRET} hunter2-x") == f"{MASK} {MASK} {MASK}"


def test_of_secrets_that_begin_alike_the_longest_that_is_there_is_masked() -> None:
    mask = Mask([SECRET[:6], SECRET[:9], SECRET])
    assert mask(f"{SECRET} {SECRET[:9]} {SECRET[:8]}") == f"{MASK} {MASK} {MASK}{SECRET[6:8]}"


def test_behind_a_lone_backslash_a_secret_with_a_doubled_one_is_masked() -> None:
    """Read as an escape, the lone one takes the first character of the secret with it."""
    assert Mask(["netops\\zwqrfish"])(r"C:\netops\\zwqrfish") == f"C:\\{MASK}"


@pytest.mark.parametrize(("before", "first"), [("", 0), ("x", 2), ("xy", 3)])
def test_base64_that_is_cut_after_its_first_characters_leaves_none_of_the_secret_s_own(
    before: str, first: int
) -> None:
    text = base64.b64encode(f"{before}correct-horse".encode()).decode()
    cut = text[: first + 3]
    assert Mask(["correct-horse"])(f"it is {cut}", cut_after=True) == f"it is {text[:first]}{MASK}"


@pytest.mark.parametrize("before", ["", "x" * 3])
def test_base64_that_is_cut_before_its_last_characters_leaves_none_of_them(before: str) -> None:
    secret = "correct-horse-stap"
    text = base64.b64encode(f"{before}{secret}".encode()).decode()
    assert Mask([secret])(f"{text[-3:]} it is", cut_before=True) == f"{MASK} it is"


def test_beside_base64_512_characters_are_masked_with_it() -> None:
    text = base64.b64encode(b"swordfish-78").decode()
    mask = Mask(["swordfish-78"])
    assert mask("a" * 512 + text + "b" * 512) == MASK
    assert mask("a" * 513 + text + "b" * 513) == f"a{MASK}b"


def test_what_a_cut_may_have_left_of_an_escape_is_eleven_characters_at_most() -> None:
    mask = Mask([SECRET])
    assert mask("x" * 11 + "fish-7 it is", cut_before=True) == f"{MASK} it is"
    assert mask("x" * 12 + "fish-7 it is", cut_before=True) == "x" * 12 + "fish-7 it is"


@pytest.mark.parametrize("writing", sorted(WRITINGS))
def test_wherever_a_cut_goes_through_a_secret_not_three_characters_of_it_are_left(writing: str) -> None:
    written = f"it is {WRITINGS[writing](SECRET_OF_WORDS)}"
    mask = Mask([SECRET_OF_WORDS])
    for cut in range(len(written)):
        seen = re.sub(r"\x1b\[[0-9;]*m", "", mask(written[:cut], cut_after=True))
        assert SECRET_OF_WORDS[:3] not in seen, (cut, seen)


def test_an_escaped_middle_of_a_long_secret_is_masked_where_a_text_was_cut() -> None:
    secret = "the wörd für ünïcode ïs lönger thän thïrty"
    written = urllib.parse.quote(secret[4:-4], safe="")
    assert Mask([secret])(written, cut_before=True) == MASK
    assert Mask([secret])(f"{written} it", cut_before=True) != MASK


def test_a_text_that_is_nothing_but_the_beginning_of_a_secret_is_masked_where_it_was_cut() -> None:
    assert Mask([SECRET])(SECRET[:3], cut_after=True) == MASK
    assert Mask([SECRET])(SECRET[:-1], cut_after=True) == MASK


def test_the_longest_spelling_but_one_character_is_masked_at_both_cuts() -> None:
    written = SECRET.encode().hex()
    mask = Mask([SECRET])
    assert mask(f"it is {written[:-1]}", cut_after=True) == f"it is {MASK}"
    assert mask(f"{written[1:]} it is", cut_before=True) == f"{MASK} it is"


def test_of_an_abbreviated_secret_six_characters_on_each_side_are_masked_and_five_are_not() -> None:
    mask = Mask([SECRET])
    assert mask(f"{SECRET[:6]}...{SECRET[-6:]}") == f"{MASK}...{MASK}"
    assert mask(f"{SECRET[:5]}...{SECRET[-5:]}") == f"{SECRET[:5]}...{SECRET[-5:]}"


def test_each_of_several_abbreviated_secrets_in_a_text_is_masked() -> None:
    text = f"{SECRET[:6]}...{SECRET[-6:]} "
    assert Mask([SECRET])(text * 3) == f"{MASK}...{MASK} " * 3


def test_of_an_abbreviated_secret_up_to_80_characters_on_each_side_are_masked() -> None:
    mask = Mask([LONG])
    assert mask(f"it: {LONG[:80]}...{LONG[-80:]} up") == f"it: {MASK}...{MASK} up"
    left = f"it: {LONG[:81]}...{LONG[-81:]} up"
    assert mask(left) == left


@pytest.mark.parametrize("rest", ["9", "00e9", "x41;", "0001f60"])
def test_the_rest_of_an_escape_behind_a_gap_does_not_hide_the_piece_behind_it(rest: str) -> None:
    mask = Mask([SECRET])
    assert mask(f"it: ...{rest}fish-7 up") == f"it: ...{MASK} up"
    assert mask(f"it: ...{rest}'fish-7 up") == f"it: ...{rest}'fish-7 up"
    assert mask("it: ...'fish-7 up") == "it: ...'fish-7 up"


@pytest.mark.parametrize("gap", ["...", "......", "…"])
def test_behind_a_gap_six_characters_at_a_cut_are_masked_and_five_are_not(gap: str) -> None:
    mask = Mask([WORDS])
    assert mask(f"it: {gap}{WORDS[20:26]}", cut_after=True) == f"it: {gap}{MASK}"
    assert mask(f"it: {gap}{WORDS[20:25]}", cut_after=True) == f"it: {gap}{WORDS[20:25]}"
    assert mask(f"it: {gap}sunshine", cut_after=True) == f"it: {gap}sunshine"


def test_behind_a_gap_any_length_of_a_long_secret_is_masked_at_a_cut() -> None:
    assert Mask([LONG])(f"it: ...{LONG[20:150]}", cut_after=True) == f"it: ...{MASK}"


def test_a_line_of_a_secret_is_masked_where_it_stands_among_others() -> None:
    piece = LONG[30:50]
    assert Mask([LONG])(f"it is\n\t {piece} \r\n\n  {piece}\nup") == f"it is\n\t {MASK} \r\n\n  {MASK}\nup"


def test_a_line_of_six_characters_is_masked_and_one_of_five_is_not() -> None:
    assert Mask([LONG])(f"{LONG[30:36]}\n{LONG[30:35]}\n") == f"{MASK}\n{LONG[30:35]}\n"


def test_of_a_short_secret_too_the_line_that_was_broken_is_masked() -> None:
    mask = Mask([SECRET])
    assert mask("fish-7aaaa") == f"{MASK}aaaa"
    assert mask("x: aaaaaaaaaaswordf") == f"x: aaaaaaaaaa{MASK}"


def test_at_the_end_of_a_line_that_is_no_base64_the_beginning_of_a_short_secret_is_left() -> None:
    assert Mask([SECRET])("(swordf") == "(swordf"


def test_a_line_of_signs_is_masked_from_sixteen_on_where_other_text_follows() -> None:
    mask = Mask([SIGNS])
    assert mask(f"{SIGNS[-16:]} up") == f"{MASK} up"
    assert mask(f"{SIGNS[-15:]} up") == f"{SIGNS[-15:]} up"


def test_the_beginning_of_signs_is_masked_at_a_line_s_end_where_no_blank_is_near() -> None:
    mask = Mask([SIGNS])
    assert mask(f"(up,down,{SIGNS[:8]}") == f"(up,down,{MASK}"
    assert mask(f"up {SIGNS[:8]}") == f"up {SIGNS[:8]}"


def test_the_beginning_of_words_is_masked_at_a_line_s_end_behind_a_blank() -> None:
    mask = Mask([SIGNS, WORDS, "z" * 40])
    assert mask(f"up {WORDS[:9]}") == f"up {MASK}"


def test_a_needle_that_is_left_out_leaves_out_no_other() -> None:
    needles = Needles("a" * count for count in range(6, 22))
    crowded = ["a" * count + "b" for count in range(30, 60)]
    others = [f"{number:06}" for number in range(30)]
    needles.add([*crowded, *others], most_lengths=16)
    assert [len(list(needles.whole(other, Effort()))) for other in others] == [1] * len(others)
    assert not any("a" * 30 + "b" in found for found in needles._all)


@pytest.mark.parametrize("length", [28, 29, 30, 31, 40])
def test_of_a_secret_that_reprlib_has_just_abbreviated_nothing_is_left_at_any_cut(length: int) -> None:
    secret = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"[:length]
    written = reprlib.repr(secret)
    for cut in range(len(written)):
        seen = Mask([secret])(written[:cut], cut_after=True)
        assert not [at for at in range(length - 5) if secret[at : at + 6] in seen]


@pytest.mark.parametrize("writing", ["shell", "shell, with backslashes"])
def test_a_cut_through_a_quotation_mark_as_shells_write_it_leaves_nothing_of_the_secret_before_it(
    writing: str,
) -> None:
    text = WRITINGS[writing]("d%;Z8'W/B")
    for end in range(text.index("d") + 3, len(text) + 1):
        assert Mask(["d%;Z8'W/B"])(text[:end], cut_after=True).strip("'\"\\") == MASK


@pytest.mark.parametrize("write", [repr, ascii, json.dumps])
def test_an_abbreviation_that_ends_inside_of_an_escape_leaves_nothing_of_the_secret_behind_it(
    write: Callable[[str], str],
) -> None:
    secret = "ĂPħ\U0001cdd2Pm3ª\U000b14b7$Ï\U000e2a51\U000d8630õ`ģ¨çÈģÇ"
    written = write(secret)
    for begin in range(5, len(written) - 12):
        assert not [*leaked(Mask([secret])(f"'abc...{written[begin:]}"), [secret], "")]
