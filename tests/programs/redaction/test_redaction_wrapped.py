"""A long secret that was broken into lines: each line is masked though nothing else of the secret is near."""

import pprint
import textwrap

import pytest

from jobrunner.protocol.masking import MASK, Mask

BASE64 = "Zm9vYmFyLWJhei1xdXV4LXNvbWV0aGluZy1sb25nZXItdGhhbi1hLWxpbmU0/+=="
SIGNS = "p&q;r!s:t?u(v)w{x}y[z]a<b>c,d.e$f#g@h~i`j|k^l*m%n"
WORDS = "correct horse battery staple and some more words that nobody knows"


@pytest.mark.parametrize("width", [6, 7, 20, 40])
def test_each_line_of_base64_is_masked(width: int) -> None:
    mask = Mask([BASE64])
    lines = textwrap.wrap(BASE64, width, break_on_hyphens=False)
    assert {mask(line) for line in lines if len(line) >= 6} == {MASK}
    assert mask(f"  {lines[1]}  \n") == f"  {MASK}  \n"


def test_each_line_of_signs_is_masked_where_it_is_long_enough_to_be_no_word() -> None:
    mask = Mask([SIGNS])
    for width in (16, 20):
        lines = textwrap.wrap(SIGNS, width, break_on_hyphens=False)
        assert [mask(line) for line in lines if len(line) == width] == [MASK] * (len(SIGNS) // width)


def test_each_line_of_words_is_masked() -> None:
    mask = Mask([WORDS])
    assert [mask(line) for line in textwrap.wrap(WORDS, 25)] == [MASK] * len(textwrap.wrap(WORDS, 25))


@pytest.mark.parametrize("text", ["Zm9vY", "horse", "the horse and the battery", "p&q;r up", "some more up"])
def test_what_is_too_short_or_no_line_of_it_is_left(text: str) -> None:
    assert Mask([BASE64, SIGNS, WORDS])(text) == text


def test_the_first_line_may_have_other_text_before_it() -> None:
    mask = Mask([BASE64])
    assert mask(f"key: {BASE64[:20]}") == f"key: {MASK}"
    assert mask(BASE64[-20:]) == MASK


def test_the_last_line_may_have_other_text_after_it() -> None:
    assert Mask([BASE64])(BASE64[-20:] + "AAAA") == f"{MASK}AAAA"
    assert Mask([SIGNS])(SIGNS[-20:] + " up") == f"{MASK} up"


def test_of_an_abbreviated_secret_the_second_half_may_be_cut_as_well() -> None:
    text = f"value={WORDS[:12]}...{WORDS[-20:-8]}"
    assert Mask([WORDS])(text, cut_after=True) == f"value={MASK}...{MASK}"
    assert Mask([WORDS])(text) == f"value={MASK}...{WORDS[-20:-8]}"


@pytest.mark.parametrize(
    "written", [WORDS, [1, WORDS], {"hostname": "core-1", "note": WORDS}, WORDS.encode()]
)
@pytest.mark.parametrize("width", [45, 60])
def test_each_line_of_what_pprint_has_broken_is_masked(written: object, width: int) -> None:
    mask = Mask([WORDS])
    lines = [mask(line) for line in pprint.pformat(written, width=width).splitlines()]
    words = {word for word in WORDS.split() if len(word) > 5}
    assert not [line for line in lines if any(word in line for word in words)]
    assert sum(MASK in line for line in lines) > 1


def test_what_pprint_has_broken_and_escaped_is_masked_as_well() -> None:
    secret = "pässwort mit wörtern und leerzeichen, das länger ist als eine zeile"
    lines = [Mask([secret])(line) for line in pprint.pformat(secret.encode(), width=40).splitlines()]
    assert not [line for line in lines if "rter" in line or "leerzeichen" in line or "zeile" in line]


@pytest.mark.parametrize("secret", ["¡¡¡¡¡¡¡", "¡" * 12, "größenwahn", "00¡¡¡¡¡¡¡¡»𐀀𐀀𐞹"])
def test_a_short_secret_that_is_long_as_bytes_is_masked_where_pprint_breaks_it(secret: str) -> None:
    lines = [Mask([secret])(line) for line in pprint.pformat([secret.encode()], width=60).splitlines()]
    assert MASK in lines[0]
    assert not [line for line in lines if line.count("\\x") > 2]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_key_of_several_lines_is_masked_where_pprint_has_broken_its_bytes(width: int) -> None:
    body = (BASE64 * 3)[:64]
    key = f"-----BEGIN KEY-----\n{body}\n{body[::-1]}\n-----END KEY-----"
    mask = Mask([key])
    lines = [mask(line) for line in pprint.pformat({"key": key.encode()}, width=width).splitlines()]
    shown = "\n".join(lines)
    assert not [at for at in range(58) if body[at : at + 6] in shown or body[::-1][at : at + 6] in shown]


@pytest.mark.parametrize(
    "text", ["he said 'battery staple'", "'nobody knows'", "  the 'nobody knows'", "  'battery'"]
)
def test_words_in_quotation_marks_that_are_no_line_of_it_are_left(text: str) -> None:
    assert Mask([WORDS])(text) == text


def test_a_byte_that_unicode_takes_for_the_end_of_a_line_does_not_hide_the_piece_around_it() -> None:
    secret = "00000000000\u00a10\u00c5\u0800\U00010000"
    first, _ = pprint.pformat([secret.encode()], width=50).split("\n")
    assert first.startswith("[b'000")
    assert r"\x85" in first
    assert Mask([secret])(first) == "[b'***'"


@pytest.mark.parametrize("end", ["'", "']", ""])
def test_the_first_characters_of_a_piece_are_masked_though_a_line_of_the_key_ends_behind_them(
    end: str,
) -> None:
    key = f"-----BEGIN KEY-----\n{BASE64}\n{BASE64[::-1]}\n-----END KEY-----"
    for chars in range(1, 8):
        piece = f"{BASE64[-chars:]}\n{BASE64[::-1]}"[:50].encode()
        line = f" {repr(piece)[:-1]}{end}"
        assert Mask([key])(line, cut_after=not end) == f" b'{MASK}{end}"
