"""The forms of a secret that no decoding of the text (`views`) can undo."""

import binascii
import contextlib
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal

SHORTEST_CHARS: Final = 6
"""Shorter secrets are masked only by name: they occur in ordinary words."""

SHORTEST_NUMBER_DIGITS: Final = 8
"""A plain number with fewer digits is as common as a short word."""

SHORTEST_PIECE_CHARS: Final = 3
"""A shorter piece of a secret, where a text was cut, may be the end of any word."""

_BASE64_BITS: Final = 6
_NULS: Final = (b"", b"\0", b"\0\0")
_WIDE: Final = ("utf-16-le", "utf-16-be")
_NORMAL_FORMS: Final[tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...]] = ("NFC", "NFD", "NFKC", "NFKD")


def is_maskable(value: str) -> bool:
    """Whether a text may be searched for this secret without a key."""
    if len(value) < SHORTEST_CHARS or not value.strip("*") or value.isspace():
        return False
    return not (value.isdecimal() and len(value) < SHORTEST_NUMBER_DIGITS)


def plain_forms(secret: str) -> set[str]:
    """Return texts to search for besides `base64_forms`: the secret, its lines, what programs make of it, and hex.

    `hexadecimals` undoes hexadecimal digits with signs between them. Those without signs are searched as well, because
    a long run of them may be broken into lines that come one by one.
    """
    forms = {secret, secret.strip(), *_lines(secret), secret.replace(" ", "+")}
    # SQL, PowerShell and CSV write a quotation mark so.
    forms.update(secret.replace(mark, mark * 2) for mark in "'\"" if mark in secret)
    if "\\" in secret:
        # For an unusual escape, no decoder knows what was meant.
        forms.add(secret.replace("\\", "\\\\"))
        # A line in Latin-1, which is not UTF-8, is shown so: some backslashes are the secret's own, others are not.
        with contextlib.suppress(UnicodeEncodeError):
            forms.add(secret.encode("latin-1").decode("utf-8", "backslashreplace"))
    data = secret.encode("utf-8", "surrogatepass")
    if secret.isascii():
        # As UTF-16, with its bytes shown one by one.
        forms.add("\0".join(secret))
    else:
        forms.update(_not_ascii(secret, data))
    # A plain word is common in other cases: `Switch` is no reason to mask every `switch`.
    if not secret.isalpha():
        forms.update(_in_other_letters(secret))
    for piece in {data, data.strip()}:
        forms.update((piece.hex(), piece.hex().upper()))
    return {form for form in forms if is_maskable(form)}


def _in_other_letters(secret: str) -> Iterator[str]:
    yield secret.lower()
    yield secret.upper()
    yield secret.capitalize()
    if not secret.isascii():
        yield secret.casefold()
        for form in _NORMAL_FORMS:
            normal = unicodedata.normalize(form, secret)
            yield normal.upper()
            yield normal.lower()
        # A terminal or a program that knows only ASCII shows it so.
        yield secret.encode("ascii", "replace").decode()
        yield secret.encode("ascii", "ignore").decode()
        yield unicodedata.normalize("NFKD", secret).encode("ascii", "ignore").decode()


def _not_ascii(secret: str, data: bytes) -> Iterator[str]:
    for form in _NORMAL_FORMS:
        normal = unicodedata.normalize(form, secret)
        yield normal
        yield normal.encode("utf-8", "surrogatepass").decode("latin-1")
    yield data.decode("ascii", "replace")
    yield data.decode("cp1252", "replace")
    with contextlib.suppress(UnicodeEncodeError):
        yield secret.encode("latin-1").decode("utf-8", "replace")
    # Its bytes, as the repr of bytes shows them; and as Python reads bytes that it can't decode.
    yield data.decode("latin-1")
    with contextlib.suppress(UnicodeDecodeError):  # half of a surrogate pair
        yield data.decode("ascii", "surrogateescape")
    with contextlib.suppress(UnicodeEncodeError):
        yield secret.encode("latin-1").decode("utf-8", "surrogateescape")
    for encoding in _WIDE:
        yield secret.encode(encoding, "surrogatepass").decode("latin-1").strip("\0")


def base64_forms(secret: str) -> set[str]:
    """Return the base64 forms. In a text, the characters beside them also belong to the secret."""
    data = secret.encode("utf-8", "surrogatepass")
    pieces = {data, data.strip(), *(secret.encode(encoding, "surrogatepass") for encoding in _WIDE)}
    if not secret.isascii():
        pieces.update(
            unicodedata.normalize(form, secret).encode("utf-8", "surrogatepass") for form in _NORMAL_FORMS
        )
    # No base64 is blank or all asterisks, so only short forms must be checked.
    return {
        form
        for piece in pieces
        for form in _base64(piece)
        if len(form) >= SHORTEST_NUMBER_DIGITS or is_maskable(form)
    }


def _lines(secret: str) -> Iterator[str]:
    # Each becomes a separate line of the log, or is dropped there. The frame of a PEM key is not secret.
    return (line.strip() for line in secret.splitlines() if not line.startswith("-----"))


def _base64(data: bytes) -> Iterator[str]:
    """Yield the part that is the same in the base64 of every text with `data` in it, for each of three alignments.

    The characters at both ends share bits with their neighbours. They hold fewer than six bits of `data` each.
    """
    # With so many bytes before it, this is the first character that is completely from `data`.
    for offset, first in ((0, 0), (1, 2), (2, 3)):
        encoded = binascii.b2a_base64(_NULS[offset] + data, newline=False).decode("ascii")
        form = encoded[first : (offset + len(data)) * 8 // _BASE64_BITS]
        yield form
        if "+" in form or "/" in form:
            yield form.replace("+", "-").replace("/", "_")
