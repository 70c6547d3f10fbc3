"""What stands behind a key in a text: ``password=abc``, ``"password": "abc"``, ``<secret>abc</secret>``.

A quoted value, and one behind ``=``, is masked whatever it is. In prose (``password: wrong``) only what is known to be
a secret of the job, since else half of all messages about passwords could not be read.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from jobrunner.protocol.masking.names import SecretNames
from jobrunner.protocol.masking.views import Range

_SEPARATOR: Final = re.compile(r"""\\{0,7}["']?\]?[ \t]{0,8}(=>|:=|[:=>,]|(?=[ \t]))[ \t]{0,8}""")
_OPENING: Final = re.compile(r"""[bBrRuU]{0,2}(\\{0,7})(["'])""")
_BARE: Final = re.compile(r"""[^\s,;&)\]}"'<>\\]+""")
_NO_VALUE: Final = re.compile(r"(?i:none|null|true|false|undefined)|\d{1,7}|\*+|[({\[].*", re.DOTALL)
_EXPRESSION: Final = re.compile(r"[A-Za-z_][\w.]*\.?\(?")
_SCHEME: Final = re.compile(r"(?:basic|bearer|digest|token|apikey|negotiate)[ \t]+", re.IGNORECASE)
_USERINFO: Final = re.compile(r"""(?<=://)[^\s/?#@:"']{0,256}:([^\s/?#@"']{1,1024})@""")
_ASSIGNING: Final = frozenset({"=", ":=", "=>"})


class Keyed:
    """Finds values by the keys in front of them.

    ``fields`` are whole names, such as those of a model's declared fields. ``known`` are secrets of any length that
    are masked where a key stands in front of them, quoted or not.
    """

    def __init__(self, names: SecretNames, fields: Iterable[str], known: Iterable[str]) -> None:
        self._names = names
        whole = "|".join(re.escape(field) for field in {*fields, "input_value"} if field)
        self._key = re.compile(
            rf"(?:{names.pattern})[\w-]{{0,40}}|(?<![\w-])(?P<field>{whole})(?![\w-])", re.IGNORECASE
        )
        # The longest first: one may be the beginning of another.
        self._known = tuple(sorted((value for value in known if value), key=len, reverse=True))

    def learn(self, value: str) -> None:
        """Know one more secret."""
        self._known = tuple(sorted({*self._known, value}, key=len, reverse=True))

    def find(self, text: str) -> Iterator[Range]:
        """Yield the ranges of the values. In a time that grows with the length of the text alone."""
        at = 0
        while match := self._key.search(text, at):
            at = match.end()
            separator = _SEPARATOR.match(text, at)
            if separator is None:
                continue
            # Of an error of pydantic: it stands behind the name of the field, in another line.
            only_known = match["field"] == "input_value"
            found = self._value(text, separator.end(), separator[1], only_known=only_known)
            if found is not None:
                yield found
                at = found[1]
        if "://" in text:
            yield from (match.span(1) for match in _USERINFO.finditer(text))

    def _value(self, text: str, at: int, separator: str, *, only_known: bool) -> Range | None:
        if opening := _OPENING.match(text, at):
            end = _closing(text, opening.end(), len(opening[1]), opening[2])
            value = text[opening.end() : end]
            if not value.strip("*") or (only_known and value not in self._known):
                return None
            # Behind a blank or a comma it may be any other word that is quoted.
            quoted = separator not in ("", ",") or value in self._known
            return (opening.end(), end) if quoted else None
        for value in self._known:
            if text.startswith(value, at) and not text[at + len(value) : at + len(value) + 1].isalnum():
                return at, at + len(value)
        if only_known:
            return None
        scheme = _SCHEME.match(text, at)
        bare = _BARE.match(text, scheme.end() if scheme else at)
        if bare is None or (scheme is None and separator not in _ASSIGNING) or self._says_nothing(bare[0]):
            return None
        return bare.span()

    def _says_nothing(self, value: str) -> bool:
        if _NO_VALUE.fullmatch(value):
            return True
        # A line of source in a traceback: `login(password=self.password)`.
        return bool(_EXPRESSION.fullmatch(value)) and value.rsplit(".", 1)[-1].rstrip("(") in self._names


def _closing(text: str, start: int, escapes: int, sign: str) -> int:
    """Return where the value ends that ``sign`` with so many backslashes has opened: at its twin, or the line's end.

    Each level of escaping doubles the backslashes of what is inside, and adds one to a quotation mark.
    """
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    at = start
    while (found := text.find(sign, at, line_end)) >= 0:
        before = found
        while before > at and text[before - 1] == "\\":
            before -= 1
        if (found - before - escapes) % (2 * (escapes + 1)) == 0:
            return found - escapes
        at = found + 1
    return line_end
