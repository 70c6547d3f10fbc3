"""Pipes from a program to a block, read on the event loop with a cap.

asyncio's own pipes are not used. On CPython 3.13 `Process.wait()` returns only when they are closed, too. So a daemon
that the program left behind would hold the block as long as the daemon lives (python/cpython#119710).
"""

import asyncio
import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """What came through one pipe. `truncated`: there was more than the cap."""

    data: bytes
    truncated: bool

    @property
    def text(self) -> str:
        """The output as text; bytes that are not UTF-8 become replacement characters."""
        return self.data.decode(errors="replace")


class Pipe:
    """One pipe. `writer` is the descriptor for the program; this object reads the other end.

    It keeps the first `cap_bytes`. It reads and drops the rest, so that the program does not have to wait.
    """

    def __init__(self, cap_bytes: int) -> None:
        self._reader, self.writer = os.pipe()
        self._collector = _Collector(cap_bytes)
        self._transport: asyncio.ReadTransport | None = None
        self._writer_open = True

    async def connect(self) -> None:
        """Start to read."""
        reader = os.fdopen(self._reader, "rb", buffering=0)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: self._collector, reader)

    def close_writer(self) -> None:
        """Close our copy of the program's end: the reader sees the end of the output only when nobody has it open."""
        if self._writer_open:
            self._writer_open = False
            os.close(self.writer)

    async def wait_end(self) -> None:
        """Wait until no process has the program's end open."""
        await self._collector.ended.wait()

    def output(self) -> Output:
        """Return what came so far."""
        return self._collector.output()

    def close(self) -> None:
        """Close both ends. May be called more than once."""
        self.close_writer()
        if self._transport is not None:
            self._transport.close()
        else:
            os.close(self._reader)


class _Collector(asyncio.Protocol):
    def __init__(self, cap_bytes: int) -> None:
        self.ended = asyncio.Event()
        self._kept = bytearray()
        self._cap_bytes = cap_bytes
        self._truncated = False

    def data_received(self, data: bytes) -> None:
        room = self._cap_bytes - len(self._kept)
        self._kept += data[:room]
        self._truncated = self._truncated or len(data) > room

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()

    def output(self) -> Output:
        return Output(bytes(self._kept), self._truncated)
