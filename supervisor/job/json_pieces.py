"""JSON that is read piece by piece, so that megabytes of it never hold the loop.

A parser in C reads eight megabytes in one go: 0.1 s, and 0.7 s where it is nothing but empty objects, as each becomes
one of Python's. Here an expression that is matched within a limit reads up to 32 KiB of members at a time, which takes
one or two milliseconds; what is nested deeper than it looks, or longer, is taken apart by its brackets. Nothing is
built of it. The time grows with the length alone: no expression goes back over what it has matched.
"""

import codecs
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

PIECE_BYTES: Final = 32 * 1024
DEEPEST_LEVELS: Final = 200
"""As far as the parser of small texts goes (`pydantic_core.from_json`)."""

_STEP_BYTES: Final = 256
"""What a single step counts as: it takes some microseconds."""

_WS: Final = rb"[ \t\n\r]*+"
_HEX: Final = rb"[0-9a-fA-F]"
_ESCAPE: Final = (
    rb'\\(?:["\\/bfnrt]|u(?:(?![dD][89a-fA-F])' + _HEX + rb"{4}"
    # Half of a surrogate pair is no text that UTF-8, or a database, could hold.
    rb"|[dD][89abAB]" + _HEX + rb"{2}\\u[dD][c-fC-F]" + _HEX + rb"{2}))"
)
_CHARS: Final = rb'(?:[^"\\\x00-\x1f]++|' + _ESCAPE + rb")*+"
_STRING: Final = rb'"' + _CHARS + rb'"'
# No number of more digits can be read by Python, nor by the parser of small texts.
_PLAIN: Final = (
    rb"(?:-?+(?:0|[1-9][0-9]{0,4298}+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+|true|false|null)(?![0-9.eE+-])"
)
_SCALAR: Final = rb"(?:" + _STRING + rb"|" + _PLAIN + rb")"


def _list(value: bytes) -> bytes:
    return rb"\[" + _WS + rb"(?:" + value + _WS + rb"(?:," + _WS + rb"(?!\])|(?=\])))*+\]"


def _object(value: bytes) -> bytes:
    member = _STRING + _WS + rb":" + _WS + value
    return rb"\{" + _WS + rb"(?:" + member + _WS + rb"(?:," + _WS + rb"(?!\})|(?=\})))*+\}"


def _nested(levels: int) -> bytes:
    if levels == 0:
        return _SCALAR
    inner = _nested(levels - 1)
    return rb"(?:" + _SCALAR + rb"|" + _list(inner) + rb"|" + _object(inner) + rb")"


_VALUE: Final = _nested(3)
# A comma only with what comes after it in sight: at the end of a piece, it may be a closing bracket.
_MORE: Final = _WS + rb"(?:," + _WS + rb"(?=[^\]}])|(?=[\]}]))"
_ELEMENTS: Final = re.compile(rb"(?:" + _VALUE + _MORE + rb")*+")
_OBJECTS: Final = re.compile(rb"(?:" + _object(_nested(2)) + _MORE + rb")*+")
_MEMBERS: Final = re.compile(rb"(?:" + _STRING + _WS + rb":" + _WS + _VALUE + _MORE + rb")*+")
_BLANKS: Final = re.compile(_WS)
_INSIDE: Final = re.compile(_CHARS)
_PLAIN_VALUE: Final = re.compile(_PLAIN)
_CLOSING: Final = {b"[": b"]", b"{": b"}"}


class NotJsonError(Exception):
    """A text is no JSON, or not of the shape that was asked for; says which. It holds nothing of the text."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value must be. ``opens`` is the bracket that it begins with, empty for any value.

    ``members`` are those that an object may have, each once, and their shapes; `None` for any. ``of_objects``: every
    element of the list is an object. ``name`` is what the value is called where it is another.
    """

    opens: bytes = b""
    members: "Mapping[bytes, Shape] | None" = None
    of_objects: bool = False
    name: str = "it"


ANY: Final = Shape()
OBJECT: Final = Shape(b"{", name="an element of its lists")


class _At(Enum):
    """What comes next in the text."""

    VALUE = auto()
    FIRST_MEMBER = auto()
    """Or the closing bracket."""
    MEMBER = auto()
    END_OF_VALUE = auto()


class Scanner:
    """Goes through one text from its beginning to its end."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
        self._work = 0
        self._expected = ANY
        self._open: list[tuple[bytes, Shape, set[bytes]]] = []
        """Closing brackets that are awaited, the shapes of what is within, and the keys there where these count."""

    def steps(self, shape: Shape) -> Generator[None, None, None]:
        """Do a few milliseconds' work for each step. It ends when all of the text was read, and is of the shape.

        Raises `NotJsonError`.
        """
        yield from self._check_encoding()
        self._expected = shape
        self._skip_blanks(0)
        comes = _At.VALUE
        while comes is not _At.END_OF_VALUE or self._open:
            self._work += _STEP_BYTES
            if self._work >= PIECE_BYTES:
                self._work = 0
                yield
            if comes is _At.VALUE:
                comes = yield from self._value()
            elif comes is _At.END_OF_VALUE:
                comes = self._after_value()
            elif comes is _At.FIRST_MEMBER and self._next() == self._open[-1][0]:
                comes = self._close()
            else:
                comes = self._members() or (yield from self._member())
        self._skip_blanks(0)
        if self._at != len(self._text):
            raise NotJsonError("something follows its end")

    def _check_encoding(self) -> Generator[None, None, None]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for at in range(0, len(self._text), 4 * PIECE_BYTES):
                decoder.decode(self._text[at : at + 4 * PIECE_BYTES])
                yield
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise NotJsonError("it is not UTF-8") from None

    def _next(self) -> bytes:
        return self._text[self._at : self._at + 1]

    def _skip_blanks(self, skipped: int) -> None:
        match = _BLANKS.match(self._text, self._at + skipped)
        assert match is not None  # it matches nothing as well
        self._at = match.end()

    def _value(self) -> Generator[None, None, _At]:
        """Read a scalar to its end, or the bracket that another value begins with."""
        shape, begins = self._expected, self._next()
        if shape.opens and begins != shape.opens:
            raise NotJsonError(f"{shape.name} is no {'object' if shape.opens == b'{' else 'list'}")
        if begins in _CLOSING:
            if len(self._open) >= DEEPEST_LEVELS:
                raise NotJsonError(f"it is nested more than {DEEPEST_LEVELS} levels deep")
            self._open.append((_CLOSING[begins], shape, set()))
            self._skip_blanks(1)
            return _At.FIRST_MEMBER
        if begins == b'"':
            yield from self._string()
        elif (match := _PLAIN_VALUE.match(self._text, self._at)) is not None:
            self._at = match.end()
        else:
            raise NotJsonError("it can't be read")
        return _At.END_OF_VALUE

    def _string(self) -> Generator[None, None, None]:
        self._at += 1
        while True:
            match = _INSIDE.match(self._text, self._at, self._at + PIECE_BYTES)
            assert match is not None  # as above
            self._work += match.end() - self._at
            is_stuck, self._at = match.end() == self._at, match.end()
            if self._next() == b'"':
                break
            if is_stuck:
                raise NotJsonError("it can't be read")
            yield
        self._at += 1

    def _after_value(self) -> _At:
        self._skip_blanks(0)
        if self._next() == b",":
            self._skip_blanks(1)
            return _At.MEMBER
        if self._next() != self._open[-1][0]:
            raise NotJsonError("it can't be read")
        return self._close()

    def _close(self) -> _At:
        self._open.pop()
        self._at += 1
        return _At.END_OF_VALUE

    def _members(self) -> _At | None:
        """Read as many members as an expression can, of any shape or of objects; `None` where there are none."""
        closing, shape, _ = self._open[-1]
        if shape.members is not None:
            return None
        runs = _MEMBERS if closing == b"}" else (_OBJECTS if shape.of_objects else _ELEMENTS)
        match = runs.match(self._text, self._at, self._at + PIECE_BYTES)
        assert match is not None  # as above
        if match.end() == self._at:
            return None
        self._work += match.end() - self._at
        self._at = match.end()
        if self._next() not in (b"]", b"}"):
            return _At.MEMBER
        if self._next() != closing:
            raise NotJsonError("it can't be read")
        return self._close()

    def _member(self) -> Generator[None, None, _At]:
        """Read what comes before the value of one member."""
        closing, shape, keys = self._open[-1]
        self._expected = OBJECT if shape.of_objects else ANY
        if closing == b"]":
            return _At.VALUE
        if self._next() != b'"':
            raise NotJsonError("it can't be read")
        begin = self._at
        yield from self._string()
        if shape.members is not None:
            key = self._text[begin + 1 : self._at - 1]
            if key not in shape.members or key in keys:
                raise NotJsonError(
                    f"{shape.name} has other members than {', '.join(k.decode() for k in shape.members)}"
                )
            keys.add(key)
            self._expected = shape.members[key]
        self._skip_blanks(0)
        if self._next() != b":":
            raise NotJsonError("it can't be read")
        self._skip_blanks(1)
        return _At.VALUE
