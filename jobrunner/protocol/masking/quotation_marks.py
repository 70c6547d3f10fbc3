"""Texts in quotation marks, as `pprint` breaks a long text or long bytes: one piece on each line."""

from collections.abc import Iterator

from jobrunner.protocol.masking.forms import SHORTEST_CHARS
from jobrunner.protocol.masking.views import Range


def half_quoted(line: str) -> Iterator[tuple[int, str]]:
    """Yield the parts of a line that have only one quotation mark, and their places: the other is in another line.

    When the escapes of line feeds are undone, a key of several lines that `pprint` has broken looks so.
    """
    for mark in "'\"":
        if line.count(mark) % 2:
            last = line.rindex(mark) + 1
            for at, piece in ((0, line[: line.index(mark)]), (last, line[last:])):
                # A single word, as in `the router's`, is no part of a key.
                if len(piece) >= SHORTEST_CHARS and not piece.isalpha():
                    yield at, piece


def last_quoted(text: str) -> Iterator[Range]:
    """Yield where the last quotation of a text with several lines begins and ends. Its end may have been cut off."""
    closed = text.rstrip().rstrip("])},")
    for mark in "'\"":
        end = len(closed) - 1 if closed.endswith(mark) else len(text)
        begin = text.rfind(mark, 0, end) + 1
        if begin and "\n" in text[begin:end]:
            yield begin, end
