"""Finding many texts in one, in a time that grows with the text and not with how many are looked for."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from jobrunner.protocol.masking.forms import SHORTEST_CHARS, SHORTEST_PIECE_CHARS
from jobrunner.protocol.masking.views import Range, possible_endings

_LONG_CHARS: Final = 32
_SHORTEST_LINE_CHARS: Final = 16
_LEFT_OUT: Final = re.compile(r"\.{3,}|…")
_LONGEST_BESIDE_GAP_CHARS: Final = 80
_LONGEST_ESCAPE_CHARS: Final = 12
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=-]+")
_ENDS_IN_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=-]{16}$")
_REST_OF_AN_ESCAPE: Final = re.compile(r"[0-9A-Za-z]{1,7};?")


class Needles:
    """The texts to look for, each of six or more characters.

    Each is filed under its first six characters, and each six of the text are looked up: no automaton has to be
    built, and ten million characters take a second. Where a text was cut, pieces of needles are found as well.
    """

    def __init__(self, needles: Iterable[str]) -> None:
        self._all: set[str] = set()
        # By length: among a hundred passwords with one beginning, a look into a set finds the right one.
        self._by_head: dict[str, dict[int, set[str]]] = {}
        self._beginning_with: dict[str, list[str]] = {}
        self._ending_with: dict[str, list[str]] = {}
        self._longest = 0
        self._long: list[str] = []
        self._long_with_blank = False
        self.add(needles)

    def add(self, needles: Iterable[str], *, most_lengths: int | None = None) -> None:
        """Look for these as well. One that would be of a further length among those that begin alike is left out
        where there are ``most_lengths`` already."""
        for needle in set(needles) - self._all:
            lengths = self._by_head.setdefault(needle[:SHORTEST_CHARS], {})
            if most_lengths is not None and len(needle) not in lengths and len(lengths) >= most_lengths:
                continue
            lengths.setdefault(len(needle), set()).add(needle)
            self._all.add(needle)
            self._beginning_with.setdefault(needle[:SHORTEST_PIECE_CHARS], []).append(needle)
            self._ending_with.setdefault(needle[-SHORTEST_PIECE_CHARS:], []).append(needle)
            self._longest = max(self._longest, len(needle))
            if len(needle) >= _LONG_CHARS:
                self._long.append(needle)
                self._long_with_blank = self._long_with_blank or " " in needle

    def __bool__(self) -> bool:
        return bool(self._all)

    def whole(self, text: str) -> Iterator[Range]:
        """Yield where a needle stands in ``text``, also where two overlap."""
        heads = self._by_head
        for at in [at for at in range(len(text)) if text[at : at + SHORTEST_CHARS] in heads]:
            for length, needles in heads[text[at : at + SHORTEST_CHARS]].items():
                if text[at : at + length] in needles:
                    yield at, at + length

    def abbreviated(self, text: str) -> Iterator[Range]:
        """Yield what is left of a needle without its middle, as reprlib and pydantic show it: ``abc...xyz``."""
        gaps = [gap.span() for gap in _LEFT_OUT.finditer(text)]
        # Each only as far as the next: dots without end must not be looked at again and again.
        befores = [0, *(end for _, end in gaps)]
        afters = [*(begin for begin, _ in gaps[1:]), len(text)]
        for before, (begin, end), after in zip(befores, gaps, afters, strict=False):
            yield from self._beside(
                text,
                (max(before, begin - _LONGEST_BESIDE_GAP_CHARS), begin),
                (end, min(after, end + _LONGEST_BESIDE_GAP_CHARS)),
            )

    def _beside(self, text: str, before: Range, after: Range) -> Iterator[Range]:
        left, right = text[slice(*before)], text[slice(*after)]
        # The gap may begin and end inside of an escape.
        for piece in possible_endings(left):
            if found := self.at_end(piece, SHORTEST_CHARS):
                yield before[0] + found[0], before[1]
        rest = _REST_OF_AN_ESCAPE.match(right)
        for skipped in range(rest.end() + 1 if rest else 1):
            if found := self._at_start(right[skipped:], SHORTEST_CHARS):
                yield after[0], after[0] + skipped + found[1]

    def wrapped(self, text: str) -> Iterator[Range]:
        """Yield the pieces of a needle that was broken into lines: a key, a token, base64."""
        start = 0
        for line in text.splitlines(keepends=True):
            bare = line.strip()
            if len(bare) >= SHORTEST_CHARS:
                begin = start + line.index(bare)
                yield from ((begin + first, begin + last) for first, last in self._pieces_of(bare))
            start += len(line)

    def _pieces_of(self, line: str) -> Iterator[Range]:
        is_base64 = _BASE64.fullmatch(line) is not None
        head, tail = line[:_SHORTEST_LINE_CHARS], line[-_SHORTEST_LINE_CHARS:]
        # Nearly every line of a log has a blank there, and need not be looked at any further.
        begins = is_base64 or self._may_be_of_a_long_one(head)
        ends = _ENDS_IN_BASE64.search(tail) or self._may_be_of_a_long_one(tail)
        if begins and any(line in long for long in self._long):
            yield 0, len(line)
            return
        if ends and (found := self.at_end(line, SHORTEST_CHARS)):
            yield found
        if begins and (found := self._at_start(line, SHORTEST_CHARS if is_base64 else _SHORTEST_LINE_CHARS)):
            yield found

    def _may_be_of_a_long_one(self, edge: str) -> bool:
        return bool(self._long) and (self._long_with_blank or " " not in edge)

    def between_gap_and_cut(self, text: str) -> Range | None:
        """Return what, at the end of a text that was cut there, is left of an abbreviated needle's second half."""
        *before, piece = _LEFT_OUT.split(text)
        if before and len(piece) >= SHORTEST_CHARS and any(piece in needle for needle in self._long):
            return len(text) - len(piece), len(text)
        return None

    def at_end(self, text: str, shortest: int = SHORTEST_PIECE_CHARS) -> Range | None:
        """Return where, at the end of a text that was cut there, a needle begins."""
        for at in range(max(0, len(text) - self._longest), len(text) - shortest + 1):
            for needle in self._beginning_with.get(text[at : at + SHORTEST_PIECE_CHARS], ()):
                if needle.startswith(text[at:]):
                    return at, len(text)
        return None

    def after_cut(self, text: str) -> Range | None:
        """Return where, at the beginning of a text that was cut there, a needle ends."""
        if any(text in needle for needle in self._long):
            return 0, len(text)
        # The cut may have gone through an escape.
        for skipped in range(_LONGEST_ESCAPE_CHARS):
            if found := self._at_start(text[skipped:], SHORTEST_PIECE_CHARS):
                return 0, skipped + found[1]
        return None

    def _at_start(self, text: str, shortest: int) -> Range | None:
        for end in range(min(len(text), self._longest), shortest - 1, -1):
            for needle in self._ending_with.get(text[end - SHORTEST_PIECE_CHARS : end], ()):
                if needle.endswith(text[:end]):
                    return 0, end
        return None
