"""Finds values after a key in a text: `password=abc`, `"password": "abc"`, `<secret>abc</secret>`.

A value is always masked if it is quoted, comes after `=`, or comes after a key that is quoted or directly before a
colon. The beginning of a sentence about a password (`password: missing`), a type (`password: str`), and words that only
follow a key (`no password given`) stay: otherwise half of all messages about passwords could not be read.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from jobrunner.protocol.masking.effort import DECODE_UNITS, Effort
from jobrunner.protocol.masking.forms import SHORTEST_NUMBER_DIGITS, SHORTEST_PIECE_CHARS
from jobrunner.protocol.masking.names import SecretNames
from jobrunner.protocol.masking.prose import is_prose
from jobrunner.protocol.masking.small_letters import in_small_letters
from jobrunner.protocol.masking.views import Range

_SEPARATOR: Final = re.compile(r"""\\{0,7}["']?\]?[ \t]{0,8}(=>|:=|[:=>,]|(?=[ \t]))[ \t]{0,8}""")
_OPENING: Final = re.compile(r"""[bBrRuU]{0,2}(\\{0,7})(["'])""")
_BARE: Final = re.compile(r"""[^\s,;&)\]}"'<>\\]+""")
_NO_VALUE: Final = re.compile(r"(?i:none|null|true|false|undefined)|\*+|[({\[].*", re.DOTALL)
_EXPRESSION: Final = re.compile(r"[A-Za-z_][\w.]*\.?\(?")
_SCHEME: Final = re.compile(r"(?:basic|bearer|digest|token|apikey|negotiate)[ \t]+", re.IGNORECASE)
_USERINFO: Final = re.compile(r"""(?<=://)[^\s/?#:"']{0,256}:([^\s/?#"']{1,1024})@""")
_ASSIGNING: Final = frozenset({"=", ":=", "=>"})
_NUMBER: Final = re.compile(r"\d{1,7}")
_WHOLE: Final = re.compile(r"(?:o?rd|d)?", re.IGNORECASE)
_TAG: Final = re.compile(r"<[\w.:-]{0,60}$")
_OF_A_LIST: Final = re.compile(r"\s{0,40}(?:,\s{0,40})?")
_ELEMENT: Final = re.compile(r"""[^\s,\]"'\\\[{(]+""")
_MOST_EXPRESSIONS: Final = 64


@functools.lru_cache(maxsize=_MOST_EXPRESSIONS)
def _expression_for(
    names: SecretNames, fields: frozenset[str]
) -> tuple[re.Pattern[str], frozenset[str], bool]:
    """Return an expression that finds a key, what a key may begin with, and whether all of that is ASCII.

    Cached for all jobs that have the same names and fields: it takes longer to build than to mask most texts.
    """
    whole_names = {field for field in (*fields, "input_value") if field}
    whole = "|".join(map(re.escape, whole_names))
    key = re.compile(
        rf"(?:{names.pattern})(?P<rest>[\w-]{{0,40}})|(?<![^\W_])pass(?![\w-])"
        rf"|(?<![\w-])(?P<field>{whole})(?![\w-])",
        re.IGNORECASE,
    )
    beginnings = frozenset((*names.beginnings, "pass", *map(in_small_letters, whole_names)))
    return key, beginnings, all(map(str.isascii, beginnings))


class Keyed:
    """Finds values by the keys before them.

    `fields` are whole names, such as those of a model's declared fields. `known` are secrets of any length that
    are masked if a key comes before them, quoted or not.
    """

    def __init__(self, names: SecretNames, fields: Iterable[str], known: Iterable[str]) -> None:
        self._names = names
        self._fields = frozenset(fields)
        self._key, self._beginnings, self._are_ascii = _expression_for(names, self._fields)
        # The longest first, because one may be the beginning of another.
        self._known = tuple(sorted((value for value in known if value), key=len, reverse=True))

    def learn(self, value: str) -> None:
        """Remember one more secret."""
        self._known = tuple(sorted({*self._known, value}, key=len, reverse=True))

    def find(self, text: str, effort: Effort, *, cut_after: bool) -> Iterator[Range]:
        """Yield the ranges of the values. The time grows only with the length of the text."""
        known = (*self._known, *self._pieces_at_end(text)) if cut_after else self._known
        at = 0
        for begin in self._beginnings_in(text):
            if begin < at or (match := self._key.match(text, begin)) is None:
                continue
            at = match.end()
            effort.spend(DECODE_UNITS + 2 * len(known))
            separator = _SEPARATOR.match(text, at)
            if separator is None:
                continue
            found = list(self._values(text, match, separator, known))
            if found:
                yield from found
                at = found[-1][1]
        if "://" in text:
            yield from (match.span(1) for match in _USERINFO.finditer(text))

    def _beginnings_in(self, text: str) -> Sequence[int]:
        """Return where a key may begin, in order. To try the whole expression at each character took a hundred times
        as long, and a block that printed half a megabyte a second took all of the supervisor's time."""
        if not self._are_ascii:  # a name from an operator or an author
            return range(len(text))
        small = in_small_letters(text)
        found = set()
        for beginning in self._beginnings:
            at = small.find(beginning)
            while at >= 0:
                found.add(at)
                at = small.find(beginning, at + 1)
        return sorted(found)

    def _pieces_at_end(self, text: str) -> Iterator[str]:
        for value in self._known:
            # Blanks may be of any length, so not every piece of a value is tried.
            for missing in range(1, min(len(value), SHORTEST_NUMBER_DIGITS) - SHORTEST_PIECE_CHARS + 1):
                if text.endswith(value[:-missing]):
                    yield value[:-missing]

    def _values(
        self, text: str, key: re.Match[str], separator: re.Match[str], known: tuple[str, ...]
    ) -> Iterator[Range]:
        at, sign = separator.end(), separator[1]
        # In a pydantic error, the value comes after the name of the field, on another line.
        only_known = key["field"] == "input_value"
        if opening := _OPENING.match(text, at):
            end = _closing(text, opening.end(), len(opening[1]), opening[2])
            value = text[opening.end() : end]
            # After a blank or a comma it may be any other quoted word.
            is_secret = value in known or (sign not in ("", ",") and not only_known)
            if is_secret and value.strip("*"):
                yield opening.end(), end
            return
        for value in known:
            if text.startswith(value, at) and not text[at + len(value) : at + len(value) + 1].isalnum():
                yield at, at + len(value)
                return
        if only_known:
            return
        # A number after `max_tokens` or `password_length` counts something.
        is_whole = bool(key["field"]) or (
            key["rest"] is not None and _WHOLE.fullmatch(key["rest"]) is not None
        )
        is_quoted = separator[0].lstrip("\\").startswith(("'", '"'))
        if text.startswith("[", at) and (sign in _ASSIGNING or sign == ":"):
            yield from self._elements(text, at + 1, numbers=is_whole)
            return
        scheme = _SCHEME.match(text, at)
        bare = _BARE.match(text, scheme.end() if scheme else at)
        if bare is None or self._says_nothing(bare[0]) or (_NUMBER.fullmatch(bare[0]) and not is_whole):
            return
        in_tag = sign == ">" and _TAG.search(text, max(0, key.start() - 60), key.start()) is not None
        behind_colon = sign == ":" and (is_quoted or (is_whole and not is_prose(bare[0])))
        if scheme or in_tag or behind_colon or sign in _ASSIGNING:
            yield bare.span()

    def _elements(self, text: str, at: int, *, numbers: bool) -> Iterator[Range]:
        """Yield the items of a list: texts, and numbers if the key says so."""
        while True:
            gap = _OF_A_LIST.match(text, at)
            at = gap.end() if gap else at
            if opening := _OPENING.match(text, at):
                end = _closing(text, opening.end(), len(opening[1]), opening[2])
                yield opening.end(), end
                at = end + len(opening[1]) + 1
            elif bare := _ELEMENT.match(text, at):
                if numbers and bare[0][0].isdigit():
                    yield bare.span()
                at = bare.end()
            else:
                return

    def _says_nothing(self, value: str) -> bool:
        if _NO_VALUE.fullmatch(value):
            return True
        # A line of source in a traceback: `login(password=self.password)`.
        last = value.rpartition(".")[2].rstrip("(")
        return bool(_EXPRESSION.fullmatch(value)) and (last in self._names or last in self._fields)


def _closing(text: str, start: int, escapes: int, sign: str) -> int:
    """Return the end of the value that `sign` with so many backslashes has opened: its twin, or the line's end.

    Each level of escaping doubles the backslashes inside, and adds one to a quotation mark.
    """
    if (line_end := text.find("\n", start)) == -1:
        line_end = len(text)
    at = start
    while (found := text.find(sign, at, line_end)) != -1:
        before = found
        # At the latest, the quotation mark before this one ends it.
        while text[before - 1] == "\\":
            before -= 1
        if (found - before - escapes) % (2 * (escapes + 1)) == 0:
            return found - escapes
        at = found + 1
    return line_end
