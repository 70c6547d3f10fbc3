"""A piece of network before a device. It can go silent like a broken cable: no end, no refusal."""

import asyncio
import contextlib
import socket
from typing import Final, Self

from sdk.testing.devices.listener import accept_no_more

_CHUNK_BYTES: Final = 16384
# Small, so a client that writes to a device that does not read is soon stopped.
_RECEIVE_BUFFER_BYTES: Final = 4096


class Front:
    """Forwards TCP connections to a port of this machine, until it is told to go silent."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._target_port = 0
        self._server: asyncio.Server | None = None
        self._to_device, self._to_client = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    @classmethod
    async def listen(cls, host: str, port: int, target_port: int) -> Self:
        """Start to accept on `host`; port 0 takes a free one."""
        front = cls(host)
        front._target_port = target_port
        front.resume()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        listener.bind((host, port))
        front._server = await asyncio.start_server(front._accept, sock=listener, limit=_RECEIVE_BUFFER_BYTES)
        return front

    @property
    def port(self) -> int:
        """The port that clients use."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def go_silent(self) -> None:
        """Forward nothing more, in either direction. If one side ends, the other side does not learn it."""
        self._to_device.clear()
        self._to_client.clear()

    def stop_reading(self) -> None:
        """Read nothing more from clients. What the device sends still gets through."""
        self._to_device.clear()

    def resume(self) -> None:
        """Forward again, first what was held back."""
        self._to_device.set()
        self._to_client.set()

    async def close(self) -> None:
        """End all connections, and accept no more."""
        assert self._server is not None
        await accept_no_more(self._server.sockets)
        self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.get_running_loop().create_task(self._forward(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._to_device.wait()
        try:
            device_reader, device_writer = await asyncio.open_connection(self._host, self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers.append(device_writer)
        pumps = (
            asyncio.ensure_future(_pump(reader, device_writer, self._to_device)),
            asyncio.ensure_future(_pump(device_reader, writer, self._to_client)),
        )
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            # After a logout one direction ends; the other then ends by itself.
            await asyncio.wait(pumps, timeout=1)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for each in (writer, device_writer):
                each.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_open: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while True:
            await is_open.wait()
            chunk = await reader.read(_CHUNK_BYTES)
            await is_open.wait()
            if not chunk:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(chunk)
            await writer.drain()
