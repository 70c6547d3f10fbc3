"""Decodes hexadecimal digits in a text, whatever comes between them: `5472`, `54:72`, `54-72`, `0x54, 0x72`."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from jobrunner.protocol.masking.effort import DECODE_UNITS, Effort
from jobrunner.protocol.masking.views import Range, View

_BETWEEN: Final = r"[^0-9A-Za-z]{0,8}(?:0[xX])?"
_ANY_PAIR: Final = r"[0-9a-fA-F][0-9a-fA-F]"
_PAIR: Final = rf"(?:[2-9a-fA-F][0-9a-fA-F]|0[0-9aAdD]|1[0-9a-fA-F](?={_BETWEEN}0[1-9]))"
"""Bytes that may be text: no control characters except those of UTF-16. So most of the dates and times at the
beginning of log lines are no run."""

_RUN: Final = re.compile(rf"{_ANY_PAIR}(?:{_BETWEEN}{_PAIR}){{5,}}(?:{_BETWEEN}[0-9a-fA-F]\Z)?")
_RUN_AT_CUT_END: Final = re.compile(
    rf"{_ANY_PAIR}(?:{_BETWEEN}{_PAIR}){{2,}}(?:{_BETWEEN}[0-9a-fA-F]|[^0-9A-Za-z]{{0,8}})\Z"
)
_RUN_AT_CUT_BEGIN: Final = re.compile(
    rf"(?:[0-9a-fA-F](?![0-9a-fA-F]))?{_BETWEEN}{_PAIR}(?:{_BETWEEN}{_PAIR}){{2,}}"
)
"""A cut may have gone through a run, and through a pair."""

_SIGNS: Final = re.compile(r"[^0-9A-Za-z]{0,8}(?:0[xX]?)?")
_CUT_CHARS: Final = 64
_NEXT: Final = re.compile(rf"{_BETWEEN}({_ANY_PAIR})")
_NOTHING: Final = "\uffff"
"""A character that is in no secret: beside a run there is text that is not shown here."""


def with_hexadecimals(
    views: Iterable[View], effort: Effort, *, cut_before: bool, cut_after: bool
) -> Iterator[View]:
    """Yield `views`, and the decoded digits of each that is the text itself, or has one kind of escapes undone."""
    for view in views:
        yield view
        if view.parent is None or view.parent.parent is None:
            effort.spend(len(view.text) // 8)
            if runs := _runs(view.text, cut_before, cut_after):
                yield _decoded(view, runs, effort, cut_after=cut_after)


def _runs(text: str, cut_before: bool, cut_after: bool) -> list[re.Match[str]]:
    first = _RUN_AT_CUT_BEGIN.match(text) if cut_before else None
    runs = [*([first] if first else ()), *_RUN.finditer(text, first.end() if first else 0)]
    if cut_after:
        done = runs[-1].end() if runs else 0
        if last := _RUN_AT_CUT_END.search(text, max(done, len(text) - _CUT_CHARS)):
            runs.append(last)
    return runs


def _decoded(view: View, runs: Iterable[re.Match[str]], effort: Effort, *, cut_after: bool) -> View:
    """Return the bytes of the runs, each as one character.

    It returns only these, not the text beside them: many lines have addresses and times, and the rest of such a line
    need not be searched again.
    """
    texts: list[str] = []
    starts: list[int] = []
    origins: list[Range] = []

    def add(character: str, begin: int, end: int) -> None:
        starts.append(len(texts))
        origins.append((begin, end - begin))
        texts.append(character)

    done = 0
    for run in runs:
        at = run.start()
        effort.spend(DECODE_UNITS + len(run[0]) * 4)
        if at > done:
            add(_NOTHING, done, at)
        for pair in _NEXT.finditer(run[0]):
            add(chr(int(pair[1], 16)), at + pair.start(), at + pair.end())
        done = run.end()
        begin, _ = origins[-1]
        origins[-1] = begin, done - begin
    # A text that was cut may end between two pairs.
    if not (cut_after and _SIGNS.fullmatch(view.text, done)) and done < len(view.text):
        add(_NOTHING, done, len(view.text))
    return View("".join(texts), view, tuple(starts), tuple(origins))
