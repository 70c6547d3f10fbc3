"""The body of an HTTP/1.1 answer as it arrives, for each way in which its end can be marked (RFC 9112). Pure."""

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
    """Takes the pieces of a body."""

    is_over: bool
    """Whether the body has ended."""
    has_surplus: bool
    """Whether data has come after its end, which nobody asked for."""

    def take(self, data: bytes, into: bytearray) -> None:
        """Append the body's bytes of this piece to `into`. Raises `NoReplyError` if it can't be read."""
        ...

    def end(self) -> bool:
        """Whether the body ends when the connection ends."""
        ...


class Sized:
    """A body of a known size."""

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
    """A body in chunks; each chunk has its size before it."""

    def __init__(self) -> None:
        self.is_over = False
        self.has_surplus = False
        self._pending = bytearray()
        """An incomplete line."""
        self._left = 0
        """How many bytes of a chunk are still to come, with the line end after it."""
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
        """Read the lines between two chunks. Return where they end, `None` if they are not complete yet."""
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
