"""Reading and writing HTTP/1.1 messages as bytes: enough for a proxy that has to break them on purpose."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer. Header names are in lower case; `start` is the first line."""

    start: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    async def read(cls, reader: asyncio.StreamReader) -> Self | None:
        """Read one message with a Content-Length, or to the end of the connection for an answer without one.

        Returns `None` at a clean end. Raises `asyncio.IncompleteReadError` when it breaks off.
        """
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            return None
        start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if "transfer-encoding" in headers:
            raise ValueError("this proxy reads no chunked messages, and neither side sends them")
        if "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        else:
            body = await reader.read() if start.startswith("HTTP/") else b""
        return cls(start, headers, body)

    def encoded(self, **changed_headers: str) -> bytes:
        """Return the bytes to send; `_` in the names of changed headers stands for `-`."""
        changes = {name.replace("_", "-"): value for name, value in changed_headers.items()}
        headers = {**self.headers, **changes, "content-length": str(len(self.body))}
        lines = [self.start, *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.start.split()[1])


def answer(status: int, headers: Mapping[str, str], body: bytes) -> Message:
    """Return an answer of the proxy's own."""
    reason = HTTPStatus(status).phrase
    return Message(f"HTTP/1.1 {status} {reason}", {"content-type": "application/json", **headers}, body)
