"""JSON that is read piece by piece, so that megabytes of it never hold the loop.

A parser in C reads eight megabytes in one go: 0.1 s, and 0.7 s where it is nothing but empty objects, as each becomes
one of Python's. Here an expression that is matched within a limit reads up to 32 KiB of members at a time, which takes
one or two milliseconds; what is nested deeper than it looks, or longer, is taken apart by its brackets. Nothing is
built of it. The time grows with the length alone: no expression goes back over what it has matched.
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
"""As far as the parser of small texts goes (`pydantic_core.from_json`)."""

SPANS_CAP: Final = 10_000
"""Of how many members is kept where they stand."""

_STEP_BYTES: Final = 256
"""What a single step counts as: it takes some microseconds."""

_MANY: Final = 1000
"""So many members in one window are small ones: an expression is faster with these."""

_CLOSING: Final = {b"[": b"]", b"{": b"}"}


class NotJsonError(SupervisorError):
    """A text is no JSON, or not of the shape that was asked for; says which. It holds nothing of the text."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value must be. `opens` is the bracket that it begins with, empty for any value.

    `members` are those that an object may have, each once, and their shapes; `None` for any. `of_objects`: every
    element of the list is an object. `in_spans`: where its members stand is kept (`Scanner.spans`), and `inner` is the
    shape of each. `name` is what the value is called where it is another.
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
    """A list or an object that was begun. `closing` is the bracket that ends it, `key` and `begin` are of the
    member that is read on its own: empty in a list."""

    closing: bytes
    shape: Shape
    keys: set[bytes] = field(default_factory=set)
    key: bytes = b""
    begin: int = 0
    has_many: bool = False
    """Whether its members are small."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a member's value stands, and its key as it is written, without the quotation marks.

    `depth` is that of the member: 1 for one of the text's own.
    """

    key: bytes
    begin: int
    end: int
    depth: int = 1


class Scanner:
    """Goes through one text from its beginning to its end.

    What is derived of it may do something with the pieces: see `_run`, `_scalar` and `_opened`.
    """

    def __init__(self, text: bytes, grammar: Grammar | None = None) -> None:
        self.spans: list[Span] = []
        """The members of what was asked for `in_spans`."""
        self._text = text
        self._grammar = grammar or strict()
        self._reads_values = self._grammar is of_python()
        self._at = 0
        self._work = 0
        self._expected = ANY
        self._open: list[Frame] = []

    def steps(self, shape: Shape, *, encoding: bool = True) -> Generator[None, None, None]:
        """Do a few milliseconds' work for each step. It ends when all of the text was read, and is of the shape.

        Raises `NotJsonError`. Without `encoding` it is not checked whether it is UTF-8.
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
        """A list or an object begins: the last of those that are open."""

    def _scalar(self, begin: int) -> None:
        """A scalar was read on its own, from there to here."""

    def _run(self, begin: int, members: object) -> None:
        """A run of members of the last that is open was read, from there to here.

        `members` is a list or an object of them, `None` where they were only looked at.
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
        """Read as many members as an expression can, of any shape or of objects; `None` where there are none."""
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
        """Read as many members as stand whole in the next kilobytes, with their values; `None` where there are none."""
        read = members_at if frame.closing == b"}" else elements_at
        members, end = read(self._text, self._at, DEEPEST_LEVELS - len(self._open))
        frame.has_many = len(members) > _MANY
        # What it has begun to read is work as well.
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
        """Read what comes before the value of one member."""
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
    """Raise `NotJsonError` for a text that is no UTF-8: a few hundred microseconds' work for each step."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(text), 4 * PIECE_BYTES):
            decoder.decode(text[at : at + 4 * PIECE_BYTES])
            yield
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise NotJsonError("it is not UTF-8") from None


def _expected(shape: Shape, members: Mapping[bytes, Shape], frame: Frame) -> Shape:
    """Return the shape of an object's member. Raises `NotJsonError` for one that it may not have, or has already."""
    key = frame.key
    if key not in members or key in frame.keys:
        names = ", ".join(name.decode() for name in members)
        raise NotJsonError(f"{shape.name} has other members than {names}")
    frame.keys.add(key)
    return members[key]
