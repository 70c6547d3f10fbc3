"""Requests in plain HTTP/1.1, over kept connections. Most workers reach their engine like this, in the same network.

This needs only a small part of aiohttp, which costs 0.2 s and 20 MB at the start of a worker, and half a millisecond
for each request (ADR 0047). Everything less simple goes through `client_transport`.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from supervisor.engine.error_texts import cant_connect, reason_of
from supervisor.engine.plain_connection import AT_ONCE_BYTES, PlainConnection
from supervisor.engine.plain_reply import PlainReply
from supervisor.engine.transport import NoReplyError, Reply, Request

_IDLE_SECONDS: Final = 15.0
"""How long a connection is kept without a request: a machine in between may silently forget the connection."""

_NEXT_ADDRESS_SECONDS: Final = 0.25
"""How long one address of a name may be silent before the worker tries the next one beside it (RFC 8305)."""

_REPEATABLE: Final = frozenset({"GET"})
_HTTP_PORT: Final = 80
_ADDRESS: Final = re.compile(
    r"http://(?:(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)|\[(?P<number>[0-9a-fA-F:.]{2,45})\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>(?:/[A-Za-z0-9._~-]+)*)/*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PlainAddress:
    """Where an engine listens that speaks HTTP without TLS. `path` comes before the path of each request."""

    host: str
    port: int
    path: str = ""

    @property
    def is_name(self) -> bool:
        """Whether the host is a name, which may have several addresses."""
        return re.fullmatch(r"[0-9.]+", self.host) is None and ":" not in self.host

    @property
    def host_field(self) -> str:
        """Return the value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _HTTP_PORT else f"{host}:{self.port}"


def plain_address(url: str) -> PlainAddress | None:
    """Return where a URL leads; `None` if it has more: TLS, a user, an international name, escapes."""
    match = _ADDRESS.fullmatch(url)
    port = int(match["port"] or _HTTP_PORT) if match else 0
    if match is None or port > 0xFFFF:
        return None
    return PlainAddress(match["name"] or match["number"], port, match["path"])


class PlainTransport:
    """See `Transport`."""

    def __init__(self, address: PlainAddress) -> None:
        self._address = address
        self._idle: list[PlainConnection] = []
        """The last one in the list was used last."""
        self._all: set[PlainConnection] = set()
        self._buffer = memoryview(bytearray(AT_ONCE_BYTES))
        self._is_closed = False

    async def send(self, request: Request, token: str | None) -> Reply:
        """See `Transport.send`."""
        text = self._head_of(request, token)
        try:
            async with request.time_out():
                return await self._send(request, text)
        except (TimeoutError, OSError, MemoryError) as error:
            reason = reason_of(error, request.seconds)
            raise NoReplyError(reason, timed_out=isinstance(error, TimeoutError)) from None

    async def _send(self, request: Request, text: bytes) -> Reply:
        connection = None if request.fresh else self._take_idle()
        if connection is not None:
            reply = PlainReply(request.cap_bytes, request.part_came)
            try:
                return await self._exchange(connection, request, text, reply)
            except (NoReplyError, ConnectionError):
                # The engine may have closed the connection before it saw the request. But it may have seen it: the
                # answer to a poll is a claim, so a request that may have claimed jobs is not sent a second time.
                if reply.begun or request.method not in _REPEATABLE:
                    raise
        reply = PlainReply(request.cap_bytes, request.part_came)
        return await self._exchange(await self._connect(), request, text, reply)

    async def _exchange(
        self, connection: PlainConnection, request: Request, text: bytes, reply: PlainReply
    ) -> Reply:
        self._all.add(connection)
        try:
            await connection.exchange(text, request.data, reply)
        finally:
            if request.fresh or self._is_closed:
                connection.abort()
            if connection.is_usable:
                connection.idle_since = asyncio.get_running_loop().time()
                self._idle.append(connection)
            else:
                self._all.discard(connection)
        assert reply.reply is not None
        return reply.reply

    def _take_idle(self) -> PlainConnection | None:
        """Return the idle connection that was used last. Ends those that have been idle too long."""
        oldest = asyncio.get_running_loop().time() - _IDLE_SECONDS
        while self._idle and not (self._idle[0].is_usable and self._idle[0].idle_since > oldest):
            self._end(self._idle.pop(0))
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            self._end(connection)
        return None

    def _end(self, connection: PlainConnection) -> None:
        self._all.discard(connection)
        connection.abort()

    async def _connect(self) -> PlainConnection:
        if self._is_closed:
            raise NoReplyError("the worker has ended its connections")
        host, port = self._address.host, self._address.port
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: PlainConnection(self._buffer),
                host,
                port,
                happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS if self._address.is_name else None,
            )
        except TimeoutError as error:
            # The kernel's time-out, after minutes. The request's own time-out cancels this.
            raise NoReplyError(cant_connect(host, port, error)) from None
        except OSError as error:
            raise NoReplyError(cant_connect(host, port, error)) from None
        except UnicodeError:  # from the codec `idna`, which encodes each host name
            raise NoReplyError(f"{host} is no name of a host") from None
        return connection

    def _head_of(self, request: Request, token: str | None) -> bytes:
        lines = [
            f"{request.method} {self._address.path}{request.path} HTTP/1.1",
            f"Host: {self._address.host_field}",
            "Accept: application/json",
            # A few kilobytes can unpack to gigabytes, and do so on the loop.
            "Accept-Encoding: identity",
            "Content-Type: application/json",
            "User-Agent: neops-supervisor",
        ]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        if request.method != "GET":
            lines.append(f"Content-Length: {len(request.data or b'')}")
        if request.fresh:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    async def close(self) -> None:
        """End all connections. Requests under way fail."""
        self._is_closed = True
        self._idle.clear()
        for connection in tuple(self._all):
            self._end(connection)
