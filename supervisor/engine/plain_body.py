"""The body of an answer in HTTP/1.1 as it arrives, in each of the ways in which its end is told (RFC 9112). Pure."""

import re
from typing import Final, Protocol

from supervisor.engine.transport import NoReplyError

FIELDS: Final = rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\r\n\0]*+\r?\n)*+"
"""Header lines."""

_LINE_CAP_BYTES: Final = 4 * 1024
_TRAILERS_CAP_BYTES: Final = 16 * 1024
_CHUNK: Final = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*+(?:;[^\r\n\0]*+)?\r\n")
_TRAILERS: Final = re.compile(FIELDS + rb"\r\n")
_LINE_END: Final = b"\r\n"


class Body(Protocol):
    """Takes the pieces."""

    is_over: bool
    """Whether the body has ended."""
    has_surplus: bool
    """Whether something has come after its end, for which nobody has asked."""

    def take(self, data: bytes, into: bytearray) -> None:
        """Add to `into` what is in this piece. Raises `NoReplyError` where it can't be read."""
        ...

    def end(self) -> bool:
        """Whether the end of the connection is the end of the body."""
        ...


class Sized:
    """A body of so many bytes."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.is_over = size == 0
        self.has_surplus = False

    def take(self, data: bytes, into: bytearray) -> None:
        """See `Body.take`."""
        into += data if len(data) <= self._left else data[: self._left]
        self.has_surplus = len(data) > self._left
        self._left = max(0, self._left - len(data))
        self.is_over = self._left == 0

    def end(self) -> bool:
        """See `Body.end`."""
        return self.is_over


class UntilEnd:
    """A body that ends with the connection."""

    is_over = False
    has_surplus = False

    def take(self, data: bytes, into: bytearray) -> None:
        """See `Body.take`."""
        into += data

    def end(self) -> bool:
        """See `Body.end`."""
        return True


class Chunked:
    """A body in chunks, each with its size before it."""

    def __init__(self) -> None:
        self.is_over = False
        self.has_surplus = False
        self._pending = bytearray()
        """What is less than a line."""
        self._left = 0
        """How much of a chunk is to come, with the end of the line that follows it."""
        self._is_last = False

    def take(self, data: bytes, into: bytearray) -> None:
        """See `Body.take`."""
        if self._pending:
            data = bytes(self._pending + data)
            self._pending.clear()
        at = 0
        while at < len(data) and not self.is_over:
            if self._left > len(_LINE_END):
                size = min(self._left - len(_LINE_END), len(data) - at)
                into += data[at : at + size]
                self._left -= size
                at += size
                continue
            after = self._line(data, at)
            if after is None:
                self._pending += data[at:]
                return
            at = after
        self.has_surplus = at < len(data)

    def _line(self, data: bytes, at: int) -> int | None:
        """Read what stands between two chunks; return where it ends, `None` where not all of it is there."""
        if self._left:
            if data[at : at + 2] == _LINE_END:
                self._left = 0
                return at + len(_LINE_END)
            if data[at:] == b"\r":
                return None
            raise NoReplyError("its chunks can't be told apart")
        pattern, cap = (_TRAILERS, _TRAILERS_CAP_BYTES) if self._is_last else (_CHUNK, _LINE_CAP_BYTES)
        match = pattern.match(data, at)
        if match is None:
            end = b"\r\n\r\n" if self._is_last else b"\n"
            if len(data) - at > cap or data.find(end, at) >= 0:
                raise NoReplyError("its chunks can't be told apart")
            return None
        if self._is_last:
            self.is_over = True
        elif size := int(match[1], 16):
            self._left = size + len(_LINE_END)
        else:
            self._is_last = True
        return match.end()

    def end(self) -> bool:
        """See `Body.end`."""
        return self.is_over
