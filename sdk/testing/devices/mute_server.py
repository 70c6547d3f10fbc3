"""A TCP server that accepts and never says a word, as a device does whose SSH daemon hangs."""

import asyncio
from typing import Final, Self

_LAST_TURNS: Final = 4


class MuteServer:
    """Holds its connections open until it is closed."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._closed = False

    @classmethod
    async def listen(cls, host: str, port: int) -> Self:
        """Start to accept on `host`; port 0 takes a free one."""
        mute = cls()
        mute._server = await asyncio.start_server(mute._keep, host, port)
        return mute

    def _keep(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:  # accepted just before the listener closed, and told of only now
            writer.transport.abort()
        self._writers.append(writer)

    def get_port(self) -> int:
        """Return the port it listens on (named as asyncssh names it)."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Stop to accept, and cut what is connected."""
        assert self._server is not None
        self._closed = True
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the listener is gone."""
        assert self._server is not None
        await self._server.wait_closed()
        # The turns that the loop needs to hand over a connection that is still on its way, and to cut it.
        for _ in range(_LAST_TURNS):
            await asyncio.sleep(0)
