"""Services that may listen in place of SSH: a silent one, a web server, telnet, half of an SSH service."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Final, Self

from sdk.testing.devices.faults import Faults

_BANNER_SECONDS: Final = 0.05
_LINE_BYTES: Final = 4096
# IAC DO TERMINAL-TYPE, IAC WILL ECHO, IAC WILL SUPPRESS-GO-AHEAD (RFC 854, 857, 858, 1091).
_TELNET_GREETING: Final = (
    b"\xff\xfd\x18\xff\xfb\x01\xff\xfb\x03\r\nUser Access Verification\r\n\r\nUsername: "
)
_HTTP_REFUSAL: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
    b"Connection: close\r\n\r\nBad Request\n"
)

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _say_nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A web server waits for a request, and takes the client's SSH banner for a wrong one.
    if await reader.read(_LINE_BYTES):
        writer.write(_HTTP_REFUSAL)
        await writer.drain()
    writer.close()


async def _speak_telnet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_TELNET_GREETING)
    await asyncio.Event().wait()


async def _never_come_to_the_banner(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # RFC 4253, 4.2: a server may send other lines before its banner. The RFC does not say how many.
    number = 0
    while True:
        number += 1
        writer.write(f"Notice {number}: this system is for authorized use only.\r\n".encode())
        await writer.drain()
        await asyncio.sleep(_BANNER_SECONDS)


async def _send_a_banner(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-Emulated_1.0\r\n")
    await asyncio.Event().wait()


async def _refuse_in_words(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"Exceeded MaxStartups\r\n")
    await writer.drain()
    writer.close()


def talk_of(faults: Faults) -> Talk | None:
    """Return the function that speaks for another service than SSH, if `faults` want one; otherwise None."""
    wanted = {
        _say_nothing: faults.no_banner,
        _speak_http: faults.http_service,
        _speak_telnet: faults.telnet_service,
        _never_come_to_the_banner: faults.endless_banner,
        _send_a_banner: faults.no_key_exchange,
        _refuse_in_words: faults.refuses_in_words,
    }
    return next((talk for talk, is_wanted in wanted.items() if is_wanted), None)


class OtherService:
    """A TCP server that calls `talk` for each client. Its connections stay open until it is closed."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._talks: set[asyncio.Task[None]] = set()

    @classmethod
    async def listen(cls, talk: Talk, host: str, port: int) -> Self:
        """Start to accept on `host`; port 0 takes a free one."""
        service = cls(talk)
        service._server = await asyncio.start_server(service._keep, host, port)
        return service

    def _keep(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            await self._talk(reader, writer)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """Its listening sockets (named as in asyncssh)."""
        assert self._server is not None
        return self._server.sockets

    def get_port(self) -> int:
        """Return the port on which it listens (named as in asyncssh)."""
        port: int = self.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Stop listening, and cut all connections. Call it when nothing is accepted any more."""
        assert self._server is not None
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        for writer in self._writers:
            writer.transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the listener and all its connections are gone."""
        assert self._server is not None
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # connections that were cut are closed in the next turn
