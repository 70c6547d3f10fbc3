"""One connection in plain HTTP/1.1, which carries one request at a time."""

import asyncio
import contextlib
import socket
from typing import Final

from supervisor.engine.plain_reply import PlainReply
from supervisor.engine.transport import NoReplyError

AT_ONCE_BYTES: Final = 64 * 1024
"""So much is read in one turn of the loop. Portions of this size never hold up the loop for long."""


class PlainConnection(asyncio.BufferedProtocol):
    """Made by `loop.create_connection`. `idle_since` is a time of the loop's clock.

    All connections of a loop may share one `buffer`: its bytes are taken out before anything else runs.
    """

    def __init__(self, buffer: memoryview) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._buffer = buffer
        self._reply: PlainReply | None = None
        self._over: asyncio.Future[None] | None = None

    @property
    def is_usable(self) -> bool:
        """Whether a request can be sent over it, as far as this side knows."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, text: bytes, data: bytes | None, reply: PlainReply) -> None:
        """Send a request and wait until its `reply` is complete. Ends the connection if that fails.

        Raises `NoReplyError`, and `OSError` if the connection breaks.
        """
        assert self._transport is not None
        assert self._over is None
        self._reply, self._over = reply, asyncio.get_running_loop().create_future()
        try:
            if data is not None and len(data) > AT_ONCE_BYTES:
                self._transport.write(text)
                self._transport.write(data)  # not copied
            else:
                self._transport.write(text + (data or b""))
            await self._over
        except BaseException:
            self.abort()
            raise
        finally:
            self._reply = self._over = None
        # The engine answered half a request: it must not take the other half for the next one.
        if not reply.keeps_connection or self._transport.get_write_buffer_size():
            self.abort()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # With keepalive this side notices that the engine's machine is gone, also while it waits for an answer.
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def get_buffer(self, sizehint: int) -> memoryview:
        """See `asyncio.BufferedProtocol`."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """See `asyncio.BufferedProtocol`."""
        if self._reply is None or self._over is None or self._over.done():
            self.abort()  # it sends data that nobody asked for
            return
        try:
            if self._reply.feed(bytes(self._buffer[:nbytes])):
                self._over.set_result(None)
        except (NoReplyError, MemoryError) as error:
            self._over.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        if self._reply is None or self._over is None or self._over.done():
            return
        try:
            if exc is not None:
                raise exc
            self._reply.end()
        except (NoReplyError, OSError, MemoryError) as error:
            self._over.set_exception(error)
        else:
            self._over.set_result(None)
