"""Hexadecimal digits: a secret is masked whatever stands between them, and dates, times and addresses are left."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jobrunner.protocol.masking import MASK, Mask
from tests.programs.redaction.cases import secrets

SECRET = "Trellis-Wagon-1842"
DATA = SECRET.encode()


@pytest.mark.parametrize(
    "written",
    [
        *(DATA.hex(sign) for sign in ":-_. ,"),
        DATA.hex(":").upper(),
        DATA.hex(" ", 2),
        DATA.hex(".", -2),
        DATA.hex("\n"),
        ", ".join(f"0x{byte:02x}" for byte in DATA),
        ", ".join(f"'0X{byte:02X}'" for byte in DATA),
        ":\n    ".join(DATA[at : at + 8].hex(":") for at in range(0, len(DATA), 8)),
        SECRET.encode("utf-16-le").hex(),
        SECRET.encode("utf-16-be").hex(":"),
        SECRET.encode("utf-16").hex("-"),
    ],
)
@pytest.mark.parametrize("around", ["<{}>", "key 3: {} ok", "code{}", "id=7 {}", "{}"])
def test_a_secret_in_digits_is_masked_whatever_stands_between_them(written: str, around: str) -> None:
    seen = Mask([SECRET])(around.format(written))
    assert MASK in seen
    assert not [pair for pair in ("7265", "72:65", "72 65", "54:72", "5472", "57 61") if pair in seen.lower()]


def test_what_a_run_of_digits_ends_with_is_no_begin_of_a_secret_where_other_text_comes_after_it() -> None:
    begin = DATA[:8].hex(":")
    assert Mask([SECRET])(f"key {begin}", cut_after=True) == f"key {MASK}"
    assert Mask([SECRET])(f"key {begin} was read", cut_after=True) == f"key {begin} was read"


@pytest.mark.parametrize("secret", ["Größe-Wärme-42x", "Пароль-Сервера-7", "heslo-Žluťoučký"])
def test_a_secret_of_any_script_is_masked_in_the_digits_of_its_usual_encodings(secret: str) -> None:
    mask = Mask([secret])
    for encoding in ("utf-8", "utf-16-le"):
        for sign in ":- ":
            seen = mask(f"<{secret.encode(encoding).hex(sign)}>")
            # The zeros at an end are of every text.
            assert seen.replace("00", "").replace(sign, "") == f"<{MASK}>"


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-07 08:22:33,456 INFO  job 550e8400-e29b-41d4-a716-446655440000 from 00:1b:54:aa:bb:cc",
        "0050.56c0.0001 and fe80::250:56ff:fec0:8 are up, 22 23 24 25 26 27 28 29 30 packets",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "a bad decade: deaf, faded beef fed a dead cab; 6 7 8 9",
        "54:72:65:6c:6c:69:73",
    ],
)
def test_other_digits_are_left(text: str) -> None:
    assert Mask([SECRET, "Größe-Wärme-42x"])(text) == text


@given(secrets.filter(lambda secret: "\n" not in secret), some.sampled_from(list(":- .")), some.data())
def test_digits_that_were_cut_anywhere_leave_no_six_characters_of_a_secret(
    secret: str, sign: str, data: some.DataObject
) -> None:
    written = secret.encode().hex(sign)
    at = data.draw(some.integers(0, len(written)))
    mask = Mask([secret])
    for piece in (mask(f"<{written[:at]}", cut_after=True), mask(f"{written[at:]}>", cut_before=True)):
        left = piece.strip("<>").replace(MASK, "").replace(sign, "")
        assert len(left) < 6 * 2, piece
