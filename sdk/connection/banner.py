"""What a device sends before SSH begins, and what that shows."""

from __future__ import annotations

import re
from typing import Any, Final

from sdk.connection.causes import Cause

MOST_BYTES: Final = 65_536
"""The most bytes before the SSH banner; RFC 4253 allows other lines there. paramiko reads a hundred of them."""
_MANY_LINES: Final = 20

_TELNET_BYTES: Final = re.compile(rb"\xff[\xfb-\xfe]")
_TLS_ALERT: Final = b"\x15\x03"
_FULL: Final = re.compile(
    r"too many|exceeded|maxstartups|limit|all .{0,20}(busy|in use)|no more|maximum|connection refused"
    r"|not allowed at this time|unavailable",
    re.IGNORECASE,
)


class ListeningSocket:
    """A socket for paramiko that keeps the text before the SSH banner.

    paramiko waits 15 s for the first line and 2 s for each further one. But the caller's limit must count. So until
    the banner is there, a read does not return for lack of data.
    """

    def __init__(self, sock: Any) -> None:
        self._socket = sock
        self._is_ssh = False
        self.first_bytes = b""
        self.has_ended = False

    def recv(self, count: int) -> bytes:
        """Read as a socket does."""
        if self._is_ssh:
            data: bytes = self._socket.recv(count)
            return data
        if len(self.first_bytes) > MOST_BYTES:
            return b""
        while True:
            try:
                data = self._socket.recv(count)
                break
            except TimeoutError:
                continue
            except OSError:
                self.has_ended = True
                raise
        self.has_ended = not data
        self.first_bytes += data
        self._is_ssh = re.search(rb"(?:^|\n)SSH-[^\n]*\n", self.first_bytes) is not None
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    @property
    def is_ssh(self) -> bool:
        """Whether an SSH banner has come."""
        return self._is_ssh

    @property
    def last_line(self) -> str | None:
        """The last line of text that came before the banner."""
        lines = self.first_bytes.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else None


def cause_without_banner(first_bytes: bytes, *, has_ended: bool) -> tuple[Cause, str]:
    """Return why no SSH banner came, judged by what came instead, and words for what that looks like."""
    text = first_bytes.decode("utf-8", "replace").strip()
    if _TELNET_BYTES.search(first_bytes) or re.search(r"(login|username)\s*:\s*$", text, re.IGNORECASE):
        return Cause.NOT_SSH, "a telnet service"
    if text.startswith("HTTP/") or text[:200].lower().startswith(("<html", "<!doctype")):
        return Cause.NOT_SSH, "an HTTP service"
    if first_bytes.startswith(_TLS_ALERT):
        return Cause.NOT_SSH, "a TLS service"
    if len(first_bytes) > MOST_BYTES or first_bytes.count(b"\n") >= _MANY_LINES:
        return Cause.ENDLESS_BANNER, ""
    if not has_ended:
        return Cause.NO_BANNER, ""
    if not text:
        return Cause.SESSION_LIMIT, "it closed the connection before its SSH banner"
    if _FULL.search(text):
        return Cause.SESSION_LIMIT, "it refuses the connection"
    return Cause.NOT_SSH, "another service"


def says_full(text: str) -> bool:
    """Whether a device's words say that it has no free session."""
    return _FULL.search(text) is not None
