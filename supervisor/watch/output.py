"""What a process prints: read without ever waiting, passed on line by line, the end of it kept as evidence."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Final

_READ_BYTES: Final = 64 * 1024
_TAIL_BYTES: Final = 64 * 1024
_LINE_CAP_BYTES: Final = 8 * 1024
_LAST_READS: Final = 64


class OutputReader:
    """Reads one end of a pipe, which stays the caller's to close.

    Output that is not UTF-8 is shown with escapes, never dropped.
    """

    def __init__(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._on_line = on_line
        self._partial = bytearray()
        self._tail = bytearray()
        self._reading = True
        self._closed = False
        asyncio.get_running_loop().add_reader(descriptor, self._read_some)

    def _read_some(self) -> None:
        # One read a turn of the loop: a process that floods its output must not hold the loop.
        try:
            if not self._read():
                self._stop()
        except BlockingIOError:
            return

    def _read(self) -> bool:
        """Take one portion. Returns whether there may be more; raises `BlockingIOError` when not now."""
        data = os.read(self._descriptor, _READ_BYTES)
        if not data:
            return False
        self._tail += data
        if len(self._tail) > 2 * _TAIL_BYTES:
            del self._tail[:-_TAIL_BYTES]
        self._split(data)
        return True

    def _split(self, data: bytes) -> None:
        self._partial += data
        *lines, rest = bytes(self._partial).split(b"\n")
        for line in lines:
            self._emit(line)
        if len(rest) > _LINE_CAP_BYTES:
            self._emit(rest)
            rest = b""
        self._partial = bytearray(rest)

    def _emit(self, line: bytes | bytearray) -> None:
        text = bytes(line[:_LINE_CAP_BYTES]).decode(errors="backslashreplace").rstrip("\r")
        if text:
            self._on_line(text)

    def tail(self) -> str:
        """Return the last 64 KiB of what was printed."""
        return bytes(self._tail[-_TAIL_BYTES:]).decode(errors="backslashreplace")

    def finish(self) -> None:
        """Take what is there now and stop. Never waits: a stranger may hold the other end open for ever."""
        if self._closed:
            return
        with contextlib.suppress(BlockingIOError):
            for _ in range(_LAST_READS):
                if not self._read():
                    break
        self._stop()
        self._closed = True
        if self._partial:
            self._emit(self._partial)
            self._partial.clear()

    def _stop(self) -> None:
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._descriptor)
