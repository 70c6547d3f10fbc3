"""What is kept of a stack dump that is too long."""

from typing import Final

_PIECE_BYTES: Final = 8 * 1024
_END_BYTES: Final = 32 * 1024
_MARKS: Final = (b"\nFatal Python error: ", b"\nCurrent thread ")
"""A piece is kept of the beginning, and from the last of each of these on; and of the end, more."""


def shortened(dump: bytes, most_bytes: int) -> bytes:
    """Return a dump, or the most telling sections of one that is longer than `most_bytes` (64 KiB).

    It begins with what was awaited when the job was cancelled, and ends with the main thread. The one that crashed may
    be anywhere. No cut goes through a line: half a secret is found at the end of a text only.
    """
    if len(dump) <= most_bytes:
        return dump
    beginning, end = dump.rfind(b"\n\n", 0, _PIECE_BYTES), dump.find(b"\n\n", -_END_BYTES)
    if beginning < 0 or end < 0:  # not as faulthandler writes
        return dump[:most_bytes]
    pieces = [dump[:beginning]]
    for mark in _MARKS:
        start = dump.rfind(mark, beginning, end)
        if start >= 0:
            piece = dump[start : min(start + _PIECE_BYTES, end + 2)]
            stop = piece.find(b"\n\n", 1)
            pieces.append(piece[: stop if stop > 0 else piece.rfind(b"\n")])
    return b"\n\n".join([*pieces, dump[end:]])
