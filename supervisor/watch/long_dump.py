"""Shortens a stack dump that is too long."""

from typing import Final

_PIECE_BYTES: Final = 8 * 1024
_END_BYTES: Final = 32 * 1024
_MARKS: Final = (b"\nFatal Python error: ", b"\nCurrent thread ")
"""It keeps the beginning, a piece from the last of each of these marks, and a larger piece of the end."""


def shortened(dump: bytes, most_bytes: int) -> bytes:
    """Return a dump, or its most useful sections if it is longer than `most_bytes` (64 KiB).

    A dump begins with what was awaited when the job was cancelled, and ends with the main thread. The crashed thread
    may be anywhere. It cuts only between lines: a mask finds half a secret only at the end of a text.
    """
    if len(dump) <= most_bytes:
        return dump
    beginning, end = dump.rfind(b"\n\n", 0, _PIECE_BYTES), dump.find(b"\n\n", -_END_BYTES)
    if beginning < 0 or end < 0:  # faulthandler does not write so
        return dump[:most_bytes]
    pieces = [dump[:beginning]]
    for mark in _MARKS:
        start = dump.rfind(mark, beginning, end)
        if start >= 0:
            piece = dump[start : min(start + _PIECE_BYTES, end + 2)]
            stop = piece.find(b"\n\n", 1)
            pieces.append(piece[: stop if stop > 0 else piece.rfind(b"\n")])
    return b"\n\n".join([*pieces, dump[end:]])
