"""A TCP server that accepts and never says a word, as a device does whose SSH daemon hangs."""

import asyncio
from typing import Self


class MuteServer:
    """Holds its connections open until it is closed."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @classmethod
    async def listen(cls, host: str, port: int) -> Self:
        """Start to accept on `host`; port 0 takes a free one."""
        mute = cls()
        mute._server = await asyncio.start_server(mute._keep, host, port)
        return mute

    def _keep(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)

    def get_port(self) -> int:
        """Return the port it listens on (named as asyncssh names it)."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Stop to accept, and cut what is connected."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the listener is gone."""
        assert self._server is not None
        await self._server.wait_closed()
