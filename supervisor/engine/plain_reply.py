"""An answer in HTTP/1.1 as it arrives, piece by piece (RFC 9112). Pure.

It is strict: an answer that two programs could read in two ways is refused.
"""

import re
from collections.abc import Callable
from typing import Final

from supervisor.engine.plain_body import FIELDS, Body, Chunked, Sized, UntilEnd
from supervisor.engine.transport import BODY_CAP_BYTES, NoReplyError, Reply, too_large

_HEAD_CAP_BYTES: Final = 64 * 1024
_INTERIM_CAP: Final = 100
"""How many interim answers (1xx) may come before the final one."""

_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_HEAD: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*+)?\r?\n(" + FIELDS + rb")\r?\n")
_FIELD: Final = re.compile(
    rb"^(content-length|transfer-encoding|connection|retry-after|date):[ \t]*+([^\r\n]*)", re.I | re.M
)
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_SWITCHING: Final = 101
_WITHOUT_BODY: Final = frozenset({_SWITCHING, 204, 304})


class PlainReply:
    """Takes one answer. `reply` is set as soon as the answer has ended. It calls `part_came` for each piece."""

    def __init__(self, cap_bytes: int | None, part_came: Callable[[], None] = lambda: None) -> None:
        self.reply: Reply | None = None
        self.keeps_connection = False
        """Whether another request may follow over this connection."""
        self.begun = False
        """Whether anything has come."""
        self._cap_bytes = cap_bytes
        self._part_came = part_came
        self._head = bytearray()
        self._interim = 0
        self._status = 0
        self._said: dict[bytes, bytes] = {}
        self._body: Body | None = None
        self._content = bytearray()

    def feed(self, data: bytes) -> bool:
        """Take a piece; return whether the answer has ended. Raises `NoReplyError` if it is not an HTTP answer."""
        self.begun = True
        self._part_came()
        while self._body is None:
            begin = max(0, len(self._head) - 3)
            self._head += data
            data = b""
            end = _END_OF_HEAD.search(self._head, begin)
            if (end.end() if end else len(self._head)) > _HEAD_CAP_BYTES:
                raise NoReplyError(f"an answer with headers of more than {_HEAD_CAP_BYTES} bytes")
            if end is None:
                return False
            self._body = self._read_head(bytes(self._head[: end.end()]))
            data = bytes(self._head[end.end() :])
            self._head.clear()
            if self._body is None and not data:
                return False
        return self._take(self._body, data)

    def _take(self, body: Body, data: bytes) -> bool:
        if data:
            if body.is_over:
                self.keeps_connection = False  # nobody asked for it
            else:
                body.take(data, self._content)
        if len(self._content) > (self._cap_bytes or BODY_CAP_BYTES):
            if self._cap_bytes is None:
                raise too_large()
            self._finish(complete=False)
        elif body.is_over:
            self.keeps_connection = self.keeps_connection and not body.has_surplus
            self._finish(complete=True)
        return self.reply is not None

    def end(self) -> None:
        """The connection has ended, and with it the answer. Raises `NoReplyError` if the answer is incomplete."""
        if self._body is None or not self._body.end():
            what = "before the end of its answer" if self.begun else "without an answer"
            raise NoReplyError(f"it closed the connection {what}")
        self._finish(complete=True)

    def _finish(self, *, complete: bool) -> None:
        said = {key: value.decode("latin-1").strip() for key, value in self._said.items()}
        content = bytes(self._content if complete else self._content[: self._cap_bytes])
        self.keeps_connection = self.keeps_connection and complete
        self.reply = Reply(self._status, content, complete, said.get(b"retry-after"), said.get(b"date"))

    def _read_head(self, head: bytes) -> Body | None:
        """Read a head and return the object that takes the body, `None` if another head must follow."""
        match = _HEAD.fullmatch(head)
        if match is None:
            raise NoReplyError("an answer that is no HTTP")
        self._status = status = int(match[2])
        if status < 200 and status != _SWITCHING:
            self._interim += 1
            if self._interim > _INTERIM_CAP:
                raise NoReplyError(f"more than {_INTERIM_CAP} answers that are none")
            return None
        self._said = {}
        for name, value in _FIELD.findall(match[3]):
            key = name.lower()
            known = self._said.get(key)
            self._said[key] = value if known is None else known + b"," + value
        return self._body_of(status, is_newer=match[1] == b"1")

    def _body_of(self, status: int, *, is_newer: bool) -> Body:
        options = {each.strip() for each in self._said.get(b"connection", b"").lower().split(b",")}
        keeps = b"close" not in options and (is_newer or b"keep-alive" in options)
        self.keeps_connection = keeps and status != _SWITCHING
        length, coding = self._said.get(b"content-length"), self._said.get(b"transfer-encoding")
        if length is not None and not _LENGTH.fullmatch(length.strip()):
            raise NoReplyError("an answer without a length that can be read")
        if status in _WITHOUT_BODY:
            return Sized(0)
        if coding is not None:
            if length is not None or coding.strip().lower() != b"chunked":
                raise NoReplyError("an answer whose end can't be told")
            return Chunked()
        if length is not None:
            return Sized(int(length))
        self.keeps_connection = False
        return UntilEnd()
