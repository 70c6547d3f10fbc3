"""Reads JSON piece by piece, so that megabytes of it never hold up the loop.

A parser in C reads eight megabytes in one go: 0.1 s, and 0.7 s if it is only empty objects, because each becomes a
Python object. Here a regular expression with a limit reads up to 32 KiB of members at a time, which takes one or two
milliseconds. Deeper or longer members are taken apart by their brackets. No objects are built. The time grows only with
the length: no expression goes back over what it has matched.
"""

import codecs
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from supervisor.errors import SupervisorError
from supervisor.job.json_grammar import BLANKS, Grammar, of_python, strict
from supervisor.job.json_window import WINDOW_BYTES, elements_at, members_at

PIECE_BYTES: Final = 32 * 1024
DEEPEST_LEVELS: Final = 200
"""The same as in the parser of small texts (`pydantic_core.from_json`)."""

SPANS_CAP: Final = 10_000
"""The most members whose positions are kept."""

_STEP_BYTES: Final = 256
"""What a single step counts: it takes some microseconds."""

_MANY: Final = 1000
"""If one window has so many members they are small: an expression is faster with these."""

_CLOSING: Final = {b"[": b"]", b"{": b"}"}


class NotJsonError(SupervisorError):
    """A text is not JSON, or has another shape; the error says which. It quotes nothing of the text."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value must be. `opens` is the bracket that it begins with, empty for any value.

    `members` are the members that an object may have, each once, with their shapes; `None` for any. `of_objects`: every
    element of the list is an object. `in_spans`: the positions of its members are kept (`Scanner.spans`), and `inner`
    is the shape of each. `name` is used in the error if the value has another shape.
    """

    opens: bytes = b""
    members: "Mapping[bytes, Shape] | None" = None
    of_objects: bool = False
    in_spans: bool = False
    inner: "Shape | None" = None
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


@dataclass(slots=True)
class Frame:
    """A list or an object that was begun. `closing` is the bracket that ends it, `key` and `begin` belong to the
    member that is read by itself: empty in a list."""

    closing: bytes
    shape: Shape
    keys: set[bytes] = field(default_factory=set)
    key: bytes = b""
    begin: int = 0
    has_many: bool = False
    """Whether its members are small."""


@dataclass(frozen=True, slots=True)
class Span:
    """The position of a member's value, and its key as written, without the quotation marks.

    `depth` is the member's: 1 for a member of the text itself.
    """

    key: bytes
    begin: int
    end: int
    depth: int = 1


class Scanner:
    """Goes through one text from its beginning to its end.

    A subclass may use the pieces: see `_run`, `_scalar` and `_opened`.
    """

    def __init__(self, text: bytes, grammar: Grammar | None = None) -> None:
        self.spans: list[Span] = []
        """The members of values that have `in_spans`."""
        self._text = text
        self._grammar = grammar or strict()
        self._reads_values = self._grammar is of_python()
        self._at = 0
        self._work = 0
        self._expected = ANY
        self._open: list[Frame] = []

    def steps(self, shape: Shape, *, encoding: bool = True) -> Generator[None, None, None]:
        """Work a few milliseconds in each step. It ends when all of the text was read and has the shape.

        Raises `NotJsonError`. Without `encoding` it does not check whether the text is UTF-8.
        """
        if encoding:
            yield from encoding_checked(self._text)
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
            elif comes is _At.FIRST_MEMBER and self._next() == self._open[-1].closing:
                comes = self._close()
            else:
                comes = self._members() or (yield from self._member())
        self._skip_blanks(0)
        if self._at != len(self._text):
            raise NotJsonError("something follows its end")

    def _next(self) -> bytes:
        return self._text[self._at : self._at + 1]

    def _skip_blanks(self, skipped: int) -> None:
        match = BLANKS.match(self._text, self._at + skipped)
        assert match is not None  # it also matches an empty text
        self._at = match.end()

    def _value(self) -> Generator[None, None, _At]:
        """Read a scalar to its end, or the opening bracket of another value."""
        shape, begins = self._expected, self._next()
        if shape.opens and begins != shape.opens:
            raise NotJsonError(f"{shape.name} is no {'object' if shape.opens == b'{' else 'list'}")
        if begins in _CLOSING:
            if len(self._open) >= DEEPEST_LEVELS:
                raise NotJsonError(f"it is nested more than {DEEPEST_LEVELS} levels deep")
            self._open.append(Frame(_CLOSING[begins], shape))
            self._opened()
            self._skip_blanks(1)
            return _At.FIRST_MEMBER
        begin = self._at
        if begins == b'"':
            yield from self._string()
        elif (match := self._grammar.plain.match(self._text, self._at)) is not None:
            self._at = match.end()
        else:
            raise NotJsonError("it can't be read")
        self._scalar(begin)
        return _At.END_OF_VALUE

    def _opened(self) -> None:
        """A list or an object begins: the innermost open one."""

    def _scalar(self, begin: int) -> None:
        """A scalar was read by itself, from `begin` to here."""

    def _run(self, begin: int, members: object) -> None:
        """A run of members of the innermost open value was read, from `begin` to here.

        `members` is a list or an object with them, `None` if they were only scanned.
        """

    def _string(self) -> Generator[None, None, None]:
        self._at += 1
        while True:
            match = self._grammar.inside.match(self._text, self._at, self._at + PIECE_BYTES)
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
        frame = self._open[-1]
        if frame.shape.in_spans:
            if len(self.spans) >= SPANS_CAP:
                raise NotJsonError(f"it has more than {SPANS_CAP} members")
            self.spans.append(Span(frame.key, frame.begin, self._at, len(self._open)))
        self._skip_blanks(0)
        if self._next() == b",":
            self._skip_blanks(1)
            return _At.MEMBER
        if self._next() != frame.closing:
            raise NotJsonError("it can't be read")
        return self._close()

    def _close(self) -> _At:
        self._open.pop()
        self._at += 1
        return _At.END_OF_VALUE

    def _members(self) -> _At | None:
        """Read as many members as an expression can, of any shape or of objects; `None` if there are none."""
        frame = self._open[-1]
        shape = frame.shape
        if shape.members is not None or shape.in_spans:
            return None
        if self._reads_values and not frame.has_many and (comes := self._window(frame)):
            return comes
        grammar = self._grammar
        lists = grammar.objects if shape.of_objects else grammar.elements
        runs = grammar.members if frame.closing == b"}" else lists
        match = runs.match(self._text, self._at, self._at + PIECE_BYTES)
        assert match is not None  # as above
        if match.end() == self._at:
            return None
        self._work += match.end() - self._at
        begin, self._at = self._at, match.end()
        self._run(begin, None)
        return self._after_run(frame)

    def _window(self, frame: Frame) -> _At | None:
        """Read the members that are complete in the next kilobytes, with their values; `None` if there are none."""
        read = members_at if frame.closing == b"}" else elements_at
        members, end = read(self._text, self._at, DEEPEST_LEVELS - len(self._open))
        frame.has_many = len(members) > _MANY
        # A member that it has only begun to read is work too.
        self._work += WINDOW_BYTES
        if end == self._at:
            return None
        begin, self._at = self._at, end
        self._run(begin, members)
        return self._after_run(frame)

    def _after_run(self, frame: Frame) -> _At:
        if self._next() not in (b"]", b"}"):
            return _At.MEMBER
        if self._next() != frame.closing:
            raise NotJsonError("it can't be read")
        return self._close()

    def _member(self) -> Generator[None, None, _At]:
        """Read the text before the value of one member."""
        frame = self._open[-1]
        shape = frame.shape
        self._expected = shape.inner or (OBJECT if shape.of_objects else ANY)
        if frame.closing == b"}":
            if self._next() != b'"':
                raise NotJsonError("it can't be read")
            begin = self._at
            yield from self._string()
            frame.key = self._text[begin + 1 : self._at - 1]
            if shape.members is not None:
                self._expected = _expected(shape, shape.members, frame)
            self._skip_blanks(0)
            if self._next() != b":":
                raise NotJsonError("it can't be read")
            self._skip_blanks(1)
        frame.begin = self._at
        return _At.VALUE


def encoding_checked(text: bytes) -> Generator[None, None, None]:
    """Raise `NotJsonError` if a text is not UTF-8: each step takes a few hundred microseconds."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(text), 4 * PIECE_BYTES):
            decoder.decode(text[at : at + 4 * PIECE_BYTES])
            yield
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise NotJsonError("it is not UTF-8") from None


def _expected(shape: Shape, members: Mapping[bytes, Shape], frame: Frame) -> Shape:
    """Return the shape of an object's member. Raises `NotJsonError` if it may not have it, or has it already."""
    key = frame.key
    if key not in members or key in frame.keys:
        names = ", ".join(name.decode() for name in members)
        raise NotJsonError(f"{shape.name} has other members than {names}")
    frame.keys.add(key)
    return members[key]
