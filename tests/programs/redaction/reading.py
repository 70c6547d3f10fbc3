"""Whether somebody who knows all of this can read a secret from a text. Shares no code with what masks."""

import base64
import binascii
import codecs
import html
import re
import unicodedata
import urllib.parse
import warnings
from collections.abc import Iterable, Iterator

PIECE_CHARS = 6
"""A piece of a secret that is as long has leaked: shorter ones may be in any text."""

FILLERS = ("x ", " y")
"""What a case has before and after a secret that is to be cut. Thousands of it are nothing to look at."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]{7,}")
_BETWEEN_PAIRS = re.compile(r"(?<=[0-9a-fA-F]{2})(?:[:. -]|', '0x)(?=[0-9a-fA-F]{2})")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){6,}")


def pieces_of(secret: str) -> set[str]:
    return {secret[at : at + PIECE_CHARS] for at in range(len(secret) - PIECE_CHARS + 1)}


def readings(text: str, depth: int = 3) -> Iterator[str]:
    """Yield `text` and what it says when its escapes are undone, up to `depth` times. Each reading once."""
    yield text
    seen, level = {text}, [text]
    for _ in range(depth):
        deeper: list[str] = []
        for each in level:
            for undone in undoings(each):
                if undone not in seen:
                    seen.add(undone)
                    deeper.append(undone)
                    yield undone
        level = deeper


def undoings(text: str) -> Iterator[str]:
    yield urllib.parse.unquote(text)
    yield html.unescape(text)
    yield text.replace("'\"'\"'", "'")
    yield text.replace("'\\''", "'")
    yield re.sub(r"\r?\n[ \t]*", "", text)
    yield re.sub(r"""['"]\n[ \t]*['"]""", "", text)
    yield text.replace("\0", "")
    yield _STYLE.sub("", text)
    yield text.replace("''", "'")
    yield unicodedata.normalize("NFC", text)
    yield text.encode("utf-8", "surrogateescape" if _ESCAPED_BYTE.search(text) else "surrogatepass").decode(
        "utf-8", "replace"
    )
    if "\\" in text:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for raw in (text.replace("\\/", "/"), text + "\\"):
                try:
                    plain = codecs.decode(raw.encode("ascii", "backslashreplace"), "unicode_escape")
                    yield plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                    yield plain.encode("latin-1", "replace").decode("utf-8", "replace")
                except UnicodeDecodeError:
                    continue


def hidden_readings(text: str) -> Iterator[str]:
    """Yield what base64 and hexadecimals in `text` say, at each alignment."""
    for run in _BASE64.findall(text.replace("-", "+").replace("_", "/")):
        for skip in range(4):
            cut = run[skip:]
            try:
                data = base64.b64decode(cut[: len(cut) // 4 * 4])
                yield data.decode("utf-8", "replace")
                yield data.decode("utf-16-le", "replace")
            except binascii.Error:
                continue
    for run in _HEX.findall(_BETWEEN_PAIRS.sub("", text)):
        data = bytes.fromhex(run[: len(run) // 2 * 2])
        yield data.decode("utf-8", "replace")
        yield data.decode("utf-16-le", "replace")


def leaked(text: str, secrets: Iterable[str], innocent: str) -> Iterator[str]:
    """Yield pieces of `secrets` that can be read from `text` and are not in `innocent` anyway: one for each reading."""
    pieces = {piece for secret in secrets for spelling in _spellings(secret) for piece in pieces_of(spelling)}
    pieces = {piece for piece in pieces if piece not in innocent and piece.strip("*\n ")}
    for filler in FILLERS:
        text = text.replace(filler * 20, "")
    looked: set[str] = set()
    for reading in readings(text):
        for seen in (reading, *hidden_readings(reading)):
            if seen not in looked:
                looked.add(seen)
                if piece := _one_of(pieces, seen):
                    yield piece


def _spellings(secret: str) -> set[str]:
    spellings = {secret, *(unicodedata.normalize(form, secret) for form in ("NFC", "NFKC", "NFKD"))}
    return spellings if secret.isalpha() else spellings | {secret.upper(), secret.lower()}


def _one_of(pieces: set[str], text: str) -> str | None:
    # Most readings are shorter than the list of pieces is long.
    if len(text) < len(pieces):
        found = (text[at : at + PIECE_CHARS] for at in range(len(text) - PIECE_CHARS + 1))
        return next((piece for piece in found if piece in pieces), None)
    return next((piece for piece in pieces if piece in text), None)
