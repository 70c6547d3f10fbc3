"""Finds many texts in one. The time grows with that text, not with the number of texts to find."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from jobrunner.protocol.masking.effort import CHARS_PER_UNIT, DECODE_UNITS, Effort
from jobrunner.protocol.masking.forms import SHORTEST_CHARS, SHORTEST_PIECE_CHARS
from jobrunner.protocol.masking.quotation_marks import half_quoted, last_quoted
from jobrunner.protocol.masking.views import Range, possible_endings

_LONG_CHARS: Final = 32
_ABBREVIATED_CHARS: Final = 29
"""From this length on `reprlib` abbreviates a text: with its quotation marks it is longer than 30."""

_SHORTEST_LINE_CHARS: Final = 16
_QUOTED: Final = re.compile(r"""(['"])((?:(?!\1).){6,})\1[\])},]{0,64}$""")
_QUOTED_ENDS: Final = ("'", '"', "',", '",', "')", '")', "'}", '"}', "']", '"]')
_BYTES: Final = re.compile("[\xc2-\xf4][\x80-\xbf]")
_LEFT_OUT: Final = re.compile(r"\.{3,}| ?…")
"""The mark for something that was left out; `sdk.failure` puts a blank before it."""
_LONGEST_BESIDE_GAP_CHARS: Final = 80
_LONGEST_ESCAPE_CHARS: Final = 12
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=-]+")
_ENDS_IN_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=-]{16}$")
_BETWEEN: Final = "\0"
_ADDED_AT_ONCE: Final = 5000
_FILED_AT_ONCE: Final = 2000
_SORTED_AT_ONCE: Final = 100
"""Each takes some milliseconds of work. With fewer at once, the text of the long ones would be copied more often."""

_IN_PAIRS: Final = re.compile(r"(?:[0-9a-fA-F]{2}[: -]){5}")
"""Hexadecimals with signs between them. They are not searched for in lines, or shortened."""
_REST_OF_AN_ESCAPE: Final = re.compile("(?:[0-9A-Za-z]{1,9};?)?[\udc00-\udfff]?")
"""The longest are those of `\\U0001f511`, and of a pair of `\\u` of which the second one was decoded."""


class Needles:
    """The texts to find, each of six or more characters.

    Each is filed under its first six characters, and each six characters of the text are looked up. So no automaton
    must be built, and ten million characters take a second. If a text was cut, it also finds pieces of needles.
    """

    def __init__(self, needles: Iterable[str]) -> None:
        self._all: set[str] = set()
        # Which lengths: for a hundred passwords with the same beginning, one look into the set finds the right one.
        self._lengths: dict[str, tuple[int, ...]] = {}
        # A hundred thousand beginnings share the same few tuples of lengths.
        self._one_of_each: dict[tuple[int, ...], tuple[int, ...]] = {}
        # Sorted, and the second reversed: for needles with the same beginning, only the next one must be checked.
        self._beginning_with: dict[str, list[str]] = {}
        self._ending_with: dict[str, list[str]] = {}
        self._unfiled: list[str] = []
        self._longest = 0
        self._long = ""
        """The long ones in one text: the standard library searches it faster than each of them alone."""
        self._long_with_blank = False
        # Also in one text each: those that are abbreviated but not long, and those that only escapes make long.
        self._nearly_long = self._long_as_bytes = ""
        self.add(needles)

    def add(self, needles: Iterable[str], *, most_lengths: int | None = None) -> None:
        """Also search for these. If there are already `most_lengths` lengths for a beginning, a needle with another
        length is left out."""
        long: list[str] = []
        nearly_long: list[str] = []
        long_as_bytes: list[str] = []
        for needle in set(needles) - self._all:
            head = needle[:SHORTEST_CHARS]
            lengths = self._lengths.get(head, ())
            if len(needle) not in lengths:
                if most_lengths is not None and len(lengths) >= most_lengths:
                    continue
                more = (*lengths, len(needle))
                self._lengths[head] = self._one_of_each.setdefault(more, more)
            self._all.add(needle)
            self._unfiled.append(needle)
            if len(needle) > self._longest:
                self._longest = len(needle)
            if len(needle) >= _LONG_CHARS and not _IN_PAIRS.match(needle):
                long.append(needle)
                self._long_with_blank = self._long_with_blank or " " in needle
            elif len(needle) >= _ABBREVIATED_CHARS:
                nearly_long.append(needle)
            if not needle.isascii() and len(needle) < _LONG_CHARS <= _length_as_bytes(needle):
                long_as_bytes.append(needle)
        self._long += "".join(needle + _BETWEEN for needle in long)
        self._nearly_long += "".join(needle + _BETWEEN for needle in nearly_long)
        self._long_as_bytes += "".join(needle + _BETWEEN for needle in long_as_bytes)

    def file(self, pause: Callable[[], None] = lambda: None) -> None:
        """File the new ones under their beginnings and ends, when a piece is searched: for most jobs never."""
        if not self._unfiled:
            return
        # New tables replace the old ones: a thread may search a text while the loop searches a line.
        beginning = {head: list(alike) for head, alike in self._beginning_with.items()}
        ending = {head: list(alike) for head, alike in self._ending_with.items()}
        for number, needle in enumerate(self._unfiled):
            if number % _FILED_AT_ONCE == 0:
                pause()
            for filed, way in ((beginning, needle), (ending, needle[::-1])):
                filed.setdefault(way[:SHORTEST_PIECE_CHARS], []).append(way)
        for number, alike in enumerate((*beginning.values(), *ending.values())):
            if number % _SORTED_AT_ONCE == 0:
                pause()
            alike.sort()
        self._beginning_with, self._ending_with = beginning, ending
        self._unfiled = []

    def __bool__(self) -> bool:
        return bool(self._all)

    def whole(self, text: str, effort: Effort) -> Iterator[Range]:
        """Yield where a needle is in `text`, also if two overlap."""
        effort.spend(len(text))
        heads = self._lengths
        for at in [at for at in range(len(text)) if text[at : at + SHORTEST_CHARS] in heads]:
            lengths = heads[text[at : at + SHORTEST_CHARS]]
            effort.spend(2 + sum(lengths) // CHARS_PER_UNIT + 2 * len(lengths))
            for length in lengths:
                # At the end of the text, fewer characters than a needle may be left, which are a shorter needle.
                if at + length <= len(text) and text[at : at + length] in self._all:
                    yield at, at + length

    def abbreviated(self, text: str, effort: Effort) -> Iterator[Range]:
        """Yield the rest of a needle whose middle was left out, as by reprlib and pydantic: `abc...xyz`."""
        gaps = [gap.span() for gap in _LEFT_OUT.finditer(text)]
        # Each only up to the next: endless dots must not be checked again and again.
        befores = [0, *(end for _, end in gaps)]
        afters = [*(begin for begin, _ in gaps[1:]), len(text)]
        for before, (begin, end), after in zip(befores, gaps, afters, strict=False):
            yield from self._beside(
                text,
                (max(before, begin - _LONGEST_BESIDE_GAP_CHARS), begin),
                (end, min(after, end + _LONGEST_BESIDE_GAP_CHARS)),
                effort,
            )

    def _beside(self, text: str, before: Range, after: Range, effort: Effort) -> Iterator[Range]:
        effort.spend(DECODE_UNITS)
        left, right = text[slice(*before)], text[slice(*after)]
        # The gap may begin and end inside of an escape.
        for piece in possible_endings(left):
            if found := self.at_end(piece, effort, SHORTEST_CHARS):
                yield before[0] + found[0], before[1]
        rest = _REST_OF_AN_ESCAPE.match(right)
        for skipped in range(rest.end() + 1 if rest else 1):
            if found := self._at_start(right[skipped:], effort, SHORTEST_CHARS):
                yield after[0], after[0] + skipped + found[1]

    def wrapped(self, text: str, effort: Effort) -> Iterator[Range]:
        """Yield the pieces of a needle that was broken into lines: a key, a token, base64."""
        start = 0
        # Not by `splitlines`: in decoded bytes, it may take a byte of a character (0x85) for the end of a line.
        for line in text.split("\n"):
            bare = line.strip()
            if len(bare) >= SHORTEST_CHARS:
                begin = start + line.index(bare)
                effort.spend(DECODE_UNITS)
                yield from ((begin + first, begin + last) for first, last in self._pieces_of(bare, effort))
            start += len(line) + 1

    def quoted(self, text: str, effort: Effort) -> Iterator[Range]:
        """Yield what is in quotation marks at the end of a line, if it is a piece of a long needle.

        `pprint` breaks texts so. Each line may come separately.
        """
        if not (self._long or self._long_as_bytes) or ("'" not in text and '"' not in text):
            return
        start, has_lines = 0, "\n" in text
        if has_lines and (last := self._last_quoted(text, effort)):
            yield last
        for line in text.split("\n"):
            bare = line.rstrip()
            if bare.endswith(_QUOTED_ENDS):
                effort.spend(len(bare) // 2 + DECODE_UNITS)
                quoted = _QUOTED.search(bare)
                if quoted and self._is_quoted_piece(bare, quoted, effort):
                    yield start + quoted.start(2), start + quoted.end(2)
            if has_lines:
                for at, piece in half_quoted(bare):
                    effort.spend(DECODE_UNITS)
                    found = self._pieces_of(piece, effort)
                    yield from ((start + at + first, start + at + last) for first, last in found)
            start += len(line) + 1

    def _last_quoted(self, text: str, effort: Effort) -> Range | None:
        """Return the text in the last quotation marks, if it is a piece of several lines of a long needle.

        Its first line may be too short to be searched alone. The second mark may have been cut off.
        """
        effort.spend(len(text) // CHARS_PER_UNIT + DECODE_UNITS)
        for begin, end in last_quoted(text):
            if end - begin >= _SHORTEST_LINE_CHARS and self._is_in_a_long_one(text[begin:end], effort):
                return begin, end
        return None

    def _is_quoted_piece(self, line: str, quoted: re.Match[str], effort: Effort) -> bool:
        piece = quoted[2]
        if _BYTES.search(piece):
            # Bytes of UTF-8 are not a word that might be there by itself.
            effort.spend(len(self._long_as_bytes) // CHARS_PER_UNIT)
            if piece in self._long_as_bytes or self._is_in_a_long_one(piece, effort):
                return True
        if len(piece) >= _SHORTEST_LINE_CHARS:
            return self._is_in_a_long_one(piece, effort)
        # A word in quotation marks may be in any line. But it is not alone in a line, and the end of a secret.
        alone = line[0].isspace() and line[: quoted.start()].strip(" b") == ""
        return alone and self._is_in_a_long_one(piece + _BETWEEN, effort)

    def _pieces_of(self, line: str, effort: Effort) -> Iterator[Range]:
        is_base64 = _BASE64.fullmatch(line) is not None
        head, tail = line[:_SHORTEST_LINE_CHARS], line[-_SHORTEST_LINE_CHARS:]
        # Nearly every line of a log has a blank there, and needs no further check.
        begins = is_base64 or self._may_be_of_a_long_one(head)
        ends = _ENDS_IN_BASE64.search(tail) or self._may_be_of_a_long_one(tail)
        if begins and self._is_in_a_long_one(line, effort):
            yield 0, len(line)
            return
        if ends and (found := self.at_end(line, effort, SHORTEST_CHARS)):
            yield found
        if begins and (
            found := self._at_start(line, effort, SHORTEST_CHARS if is_base64 else _SHORTEST_LINE_CHARS)
        ):
            yield found

    def _may_be_of_a_long_one(self, edge: str) -> bool:
        return bool(self._long) and (self._long_with_blank or " " not in edge)

    def _is_in_a_long_one(self, piece: str, effort: Effort) -> bool:
        effort.spend(len(self._long) // CHARS_PER_UNIT)
        return bool(self._long) and piece in self._long

    def between_gap_and_cut(self, text: str, effort: Effort) -> Range | None:
        """Return the rest of an abbreviated needle's second half at the end of a text that was cut there."""
        *before, piece = _LEFT_OUT.split(text)
        if before and len(piece) >= SHORTEST_CHARS:
            effort.spend(len(self._nearly_long) // CHARS_PER_UNIT)
            if self._is_in_a_long_one(piece, effort) or piece in self._nearly_long:
                return len(text) - len(piece), len(text)
        return None

    def at_end(self, text: str, effort: Effort, shortest: int = SHORTEST_PIECE_CHARS) -> Range | None:
        """Return where a needle begins at the end of a text that was cut there."""
        self.file()
        first = max(0, len(text) - self._longest)
        effort.spend(max(0, len(text) - first) * 2)
        for at in range(first, len(text) - shortest + 1):
            if (alike := self._beginning_with.get(text[at : at + SHORTEST_PIECE_CHARS])) is not None:
                effort.spend((len(text) - at) // CHARS_PER_UNIT * 4 + 8)
                if _one_begins_with(alike, text[at:]):
                    return at, len(text)
        return None

    def after_cut(self, text: str, effort: Effort) -> Range | None:
        """Return where a needle ends at the beginning of a text that was cut there."""
        if self._is_in_a_long_one(text, effort):
            return 0, len(text)
        # The cut may have gone through an escape.
        for skipped in range(_LONGEST_ESCAPE_CHARS):
            if found := self._at_start(text[skipped:], effort, SHORTEST_PIECE_CHARS):
                return 0, skipped + found[1]
        return None

    def _at_start(self, text: str, effort: Effort, shortest: int) -> Range | None:
        self.file()
        backwards = text[: self._longest][::-1]
        effort.spend(len(backwards) * 2)
        for end in range(len(backwards), shortest - 1, -1):
            at = len(backwards) - end
            if (alike := self._ending_with.get(backwards[at : at + SHORTEST_PIECE_CHARS])) is not None:
                effort.spend(end // CHARS_PER_UNIT * 4 + 8)
                if _one_begins_with(alike, backwards[at:]):
                    return 0, end
        return None


def prepared_needles(needles: Iterable[str], pause: Callable[[], None]) -> Needles:
    """Return needles that are filed already, with a `pause` every few milliseconds of the work."""
    made, rest = Needles(()), list(needles)
    for first in range(0, len(rest), _ADDED_AT_ONCE):
        made.add(rest[first : first + _ADDED_AT_ONCE])
        pause()
    made.file(pause)
    return made


def _length_as_bytes(needle: str) -> int:
    """Return how long the escapes of these bytes are, if each character is a byte; otherwise 0."""
    if max(needle) > "\xff":
        return 0
    return sum(1 if char < "\x80" else len(r"\xff") for char in needle)


def _one_begins_with(in_order: list[str], piece: str) -> bool:
    at = bisect_left(in_order, piece)
    return at < len(in_order) and in_order[at].startswith(piece)
