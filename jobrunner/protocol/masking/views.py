"""A text with its escapes undone. It knows where each of its characters is in the original text.

The decoded texts are searched, not the text for every way of encoding: one secret has more spellings (upper and lower
case of hexadecimals, what is quoted and what not, escapes in escapes) than anybody can list.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.masking.effort import DECODE_UNITS, Effort

Range = tuple[int, int]

_Decode = Callable[[str], list[tuple[str, int]]]

_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_BACKSLASH: Final = re.compile(
    r"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
    r"|\\u[0-9A-Fa-f]{4}|\\U00[01][0-9A-Fa-f]{5}|\\x[0-9A-Fa-f]{2}|\\[^\n]"
)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);")
_SHELL_QUOTE: Final = re.compile("'\"'\"'")
_SHELL_BACKSLASH: Final = re.compile(r"'\\''")
_PARTS_OF_A_TEXT: Final = re.compile(r"""['"]\r?\n[ \t]{0,64}[bu]?['"]""")
_LINE_BREAK: Final = re.compile(r"\r?\n[ \t]{0,64}")
_ESCAPED_LINE_BREAK: Final = re.compile(r"\\\n[ \t]{0,64}\\?")
_STYLE: Final = re.compile(r"\x1b\[[0-9;?]{0,32}[A-Za-z]")
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_LAST_CODE_POINT: Final = 0x10FFFF
_MOST_IN_ONE_ANOTHER: Final = 3

_HALF_AN_ESCAPE: Final = re.compile(
    r"(?:%[0-9A-Fa-f]?|\\+(?:u[0-9A-Fa-f]{0,3}|U[0-9A-Fa-f]{0,7}|x[0-9A-Fa-f]?)?|&#?\w{0,7}|[\ud800-\udbff\udc80-\udcff])+$"
)
_HALF_A_STYLE: Final = re.compile(r"\x1b(?:\[[0-9;?]{0,32})?$")
_HALF_AN_ESCAPE_UNMARKED: Final = re.compile(r"[uUx%&][#0-9A-Za-z]{0,7}$")
_HALF_A_SHELL_QUOTE: Final = re.compile(r"""'(?:"(?:'"?)?|\\'?)$""")
_SHELL_QUOTE_CHARS: Final = 4
_ESCAPE_CHARS: Final = 16
_STYLE_CHARS: Final = 34


def without_half_an_escape(text: str) -> str:
    """Return a text that was cut at its end without the escape through which the cut may have gone."""
    text = _without_half_a_style(text)
    half = _HALF_AN_ESCAPE.search(text, max(0, len(text) - _ESCAPE_CHARS))
    return text[: half.start()] if half else text


def _without_half_a_style(text: str) -> str:
    half = _HALF_A_STYLE.search(text, max(0, len(text) - _STYLE_CHARS))
    return text[: half.start()] if half else text


def possible_endings(text: str) -> Iterator[str]:
    """Yield what a text that was cut at its end surely says: all of it, or all but half an escape.

    There are several, because something that looks like the beginning of an escape may be none: `a&b\\U0` may end in
    `a` or `a&b`.
    """
    yield text
    if (styled := _without_half_a_style(text)) != text:
        yield styled
    for at in range(max(0, len(text) - _ESCAPE_CHARS), len(text)):
        if _HALF_AN_ESCAPE.match(text, at) or _HALF_AN_ESCAPE_UNMARKED.match(text, at):
            yield text[:at]
    if half := _HALF_A_SHELL_QUOTE.search(text, max(0, len(text) - _SHELL_QUOTE_CHARS)):
        yield text[: half.start()]


@dataclass(frozen=True, slots=True)
class View:
    """A decoded text. `starts` are the positions in it at which pieces begin. `origins` are their places in the text
    that it was decoded from, with the length of one character's escape there, or 0 for a piece without escapes."""

    text: str
    parent: "View | None" = None
    starts: tuple[int, ...] = ()
    origins: tuple[Range, ...] = ()

    def in_text(self, found: Range) -> Range:
        """Return where a range of this view is in the original text."""
        if self.parent is None:
            return found
        start, _ = self._origin(found[0])
        _, end = self._origin(found[1] - 1)
        return self.parent.in_text((start, end))

    def _origin(self, position: int) -> Range:
        piece = bisect_right(self.starts, position) - 1
        begin, length = self.origins[piece]
        if length:
            return begin, begin + length
        begin += position - self.starts[piece]
        return begin, begin + 1


def views(text: str, effort: Effort) -> Iterator[View]:
    """Yield `text` itself and every way to undo its escapes, also escapes inside of others. Each text once."""
    seen = {text}
    level = [View(text)]
    yield level[0]
    for depth in range(_MOST_IN_ONE_ANOTHER):
        deeper: list[View] = []
        for view in level:
            # The third time only the forms that are most often nested: JSON in JSON in a repr.
            for sign, pattern, decode in _DECODERS if depth < _MOST_IN_ONE_ANOTHER - 1 else _DECODERS[:1]:
                if sign not in view.text:
                    continue
                decoded = _decoded(view, pattern, decode, effort)
                if decoded.text not in seen:
                    seen.add(decoded.text)
                    yield decoded
                    # Lines are broken last: a joined text has nothing to undo.
                    if pattern is not _LINE_BREAK:
                        deeper.append(decoded)
        level = deeper


def _decoded(view: View, pattern: re.Pattern[str], decode: _Decode, effort: Effort) -> View:
    effort.spend(len(view.text) // 2)
    texts: list[str] = []
    starts: list[int] = []
    origins: list[Range] = []
    size = done = 0
    for match in pattern.finditer(view.text):
        at = match.start()
        effort.spend(DECODE_UNITS)
        starts.append(size)
        origins.append((done, 0))
        texts.append(view.text[done:at])
        size += at - done
        for character, length in decode(match[0]):
            starts.append(size)
            origins.append((at, length))
            texts.append(character)
            size += 1
            at += length
        done = match.end()
    starts.append(size)
    origins.append((done, 0))
    texts.append(view.text[done:])
    return View("".join(texts), view, tuple(starts), tuple(origins))


def _percent(escaped: str) -> list[tuple[str, int]]:
    data = bytes.fromhex(escaped.replace("%", ""))
    # Bytes that are not UTF-8 stay one character for each byte.
    return [
        (character, 3 * len(character.encode("utf-8", "surrogateescape")))
        for character in data.decode("utf-8", "surrogateescape")
    ]


def _backslash(escaped: str) -> list[tuple[str, int]]:
    if len(escaped) == 2:
        return [(_CONTROLS.get(escaped[1], escaped[1]), 2)]
    if len(escaped) == 12:
        high, low = int(escaped[2:6], 16), int(escaped[8:], 16)
        return [(chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12)]
    code = int(escaped[2:], 16)
    return [(chr(code) if code <= _LAST_CODE_POINT else "\ufffd", len(escaped))]


def _entity(escaped: str) -> list[tuple[str, int]]:
    name = escaped[1:-1]
    if name[0] != "#":
        return [(_ENTITIES[name], len(escaped))]
    code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    return [(chr(code) if code <= _LAST_CODE_POINT else "\ufffd", len(escaped))]


_DECODERS: Final[tuple[tuple[str, re.Pattern[str], _Decode], ...]] = (
    ("\\", _BACKSLASH, _backslash),
    ("%", _PERCENT, _percent),
    ("&", _ENTITY, _entity),
    # `shlex.quote` writes a quotation mark so.
    ("'\"'\"'", _SHELL_QUOTE, lambda escaped: [("'", len(escaped))]),
    # `ls` and people do so.
    ("'\\''", _SHELL_BACKSLASH, lambda escaped: [("'", len(escaped))]),
    # What a terminal shows in colours.
    ("\x1b", _STYLE, lambda _: []),
    # YAML and shells break long texts so.
    ("\\\n", _ESCAPED_LINE_BREAK, lambda _: []),
    # `pprint` breaks long texts so.
    ("\n", _PARTS_OF_A_TEXT, lambda _: []),
    # The base64 of mail, and `textwrap`, break long texts so.
    ("\n", _LINE_BREAK, lambda _: []),
    ("\n", _LINE_BREAK, lambda escaped: [(" ", len(escaped))]),
)
