"""What a process prints: read without ever waiting, passed on line by line, the end of it kept as evidence."""

import asyncio
import codecs
import contextlib
import os
import re
import time
from collections.abc import Callable
from typing import Final, Protocol

_READ_BYTES: Final = 64 * 1024
_TAIL_BYTES: Final = 64 * 1024
_LINE_CAP_BYTES: Final = 8 * 1024
_LAST_READS: Final = 64
_TURN_SECONDS: Final = 0.005
"""How long lines may be passed on before others have their turn: to mask one takes up to a few milliseconds."""
_LAST_SECONDS: Final = 0.1
"""The same, at the end of a reader that was not drained. What is beyond it is counted, and is in the tail."""
_WAIT_SECONDS: Final = 0.002
_EMPTY_LINES: Final = re.compile(rb"\n[\r\n]*\n")


class Valve(Protocol):
    """Tells whether lines are wanted now, and is told how many were not looked at."""

    @property
    def is_open(self) -> bool:
        """Whether a line would be passed on."""
        ...

    def skip(self, lines: int) -> None:
        """Count lines that came while it was closed."""
        ...


class OutputReader:
    """Reads one end of a pipe, which stays the caller's to close.

    Output that is not UTF-8 is shown with escapes, never dropped. A line of more than 8 KiB is cut once, with a mark.
    `mask` is for a line that was cut, or has not ended: half of a secret may be its end. Whole lines pass unmasked.
    Nothing is passed on while `must_wait` says so: what was said elsewhere before it was printed is not heard yet.
    """

    def __init__(
        self,
        descriptor: int,
        on_line: Callable[[str], None],
        valve: Valve | None = None,
        mask: Callable[[str], str] | None = None,
        *,
        must_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        self._descriptor = descriptor
        self._on_line = on_line
        self._valve = valve
        self._mask = mask
        self._must_wait = must_wait
        self._partial = bytearray()
        self._missing_bytes = 0
        self._tail = bytearray()
        self._reading = True
        self._paused = False
        self._closed = False
        self._drained = False
        self._taken = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read_some)

    def _read_some(self) -> None:
        if self._taken:
            # It may wait for long, and the kernel would tell of what is in the pipe at each turn of the loop.
            self._paused = True
            self._loop.remove_reader(self._descriptor)
            return
        # One read a turn of the loop: a process that floods its output must not hold the loop.
        try:
            if not self._take():
                self._stop()
                return
        except BlockingIOError:
            return
        # A turn later: what came over the channel before this was printed, such as a secret to be masked in it, is
        # in the channel's stream by now, and whoever reads that is woken first.
        self._loop.call_soon(self._pass_on)

    def _pass_on(self) -> None:
        if self._taken and self._must_wait():
            self._loop.call_later(_WAIT_SECONDS, self._pass_on)
            return
        self._split_taken(_TURN_SECONDS)
        if self._taken:
            self._loop.call_soon(self._pass_on)
        elif self._paused and self._reading:
            try:
                self._loop.add_reader(self._descriptor, self._read_some)
            except OSError:  # epoll has no room, or no memory, for it; both may be there in a moment
                self._loop.call_later(_WAIT_SECONDS, self._pass_on)
            else:
                self._paused = False

    def _take(self) -> bool:
        """Take one portion. Returns whether there may be more; raises `BlockingIOError` when not now."""
        data = os.read(self._descriptor, _READ_BYTES)
        self._taken += data
        self._tail += data
        if len(self._tail) > 2 * _TAIL_BYTES:
            del self._tail[:-_TAIL_BYTES]
        return bool(data)

    def _split_taken(self, seconds: float) -> None:
        """Pass on the lines of what was taken, as many as may be in so long a time. The rest stays in `_taken`."""
        if self._taken:
            data, self._taken = self._taken, b""
            self._taken = self._split(data, time.monotonic() + seconds)

    def _split(self, data: bytes, until: float) -> bytes:
        """Pass on lines, and return what is left at the time `until`."""
        # Empty lines are not passed on, so the valve would never close: 64 KiB of them took 28 ms.
        data = _EMPTY_LINES.sub(b"\n", data)
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            # Asked for each line: a portion may hold 32 thousand of them.
            if self._valve is not None and not self._valve.is_open:
                self._skip(self._valve, data[start:])
                return b""
            self._extend(data[start:end])
            self._emit()
            start = end + 1
            if time.monotonic() >= until:
                return data[start:]
        self._extend(data[start:])
        return b""

    def _skip(self, valve: Valve, data: bytes) -> None:
        # Counted, not looked at: one job's flood must not take the loop's time from the others.
        valve.skip(data.count(b"\n"))
        self._partial.clear()
        self._missing_bytes = 0
        self._extend(data[data.rfind(b"\n") + 1 :])

    def _extend(self, data: bytes) -> None:
        # What is beyond the cap is counted, not kept: a process that never ends its line must not fill our memory.
        room = _LINE_CAP_BYTES - len(self._partial)
        self._partial += data[:room]
        self._missing_bytes += max(0, len(data) - room)

    def _emit(self, *, ended: bool = True) -> None:
        is_cut = self._missing_bytes > 0 or not ended
        text = _decoded(self._partial, is_cut=is_cut).rstrip("\r")
        if self._mask is not None and is_cut:
            text = self._mask(text)
        if self._missing_bytes:
            text += f" … [{self._missing_bytes} more bytes of this line cut]"
        self._partial.clear()
        self._missing_bytes = 0
        if text:
            self._on_line(text)

    def tail(self) -> str:
        """Return the last 64 KiB of what was printed."""
        return _decoded(self._tail[-_TAIL_BYTES:], is_cut=True)

    async def drain(self) -> None:
        """Pass on what is there now, with turns for others in between; `finish` has nothing left to read then.

        Of what a process has printed that has ended. Cancelling it leaves the rest to `finish`.
        """
        with contextlib.suppress(BlockingIOError):
            for _ in range(_LAST_READS):
                while self._taken:
                    self._split_taken(_TURN_SECONDS)
                    if self._taken:
                        await asyncio.sleep(0)
                if not self._reading or not self._take():
                    break
        self._drained = not self._taken

    def finish(self) -> None:
        """Take what is there now and stop, in a moment.

        Never waits: a stranger may hold the other end open for ever.
        """
        if self._closed:
            return
        until = time.monotonic() + _LAST_SECONDS
        self._split_last(until)
        with contextlib.suppress(BlockingIOError):
            for _ in range(0 if self._drained else _LAST_READS):
                more = self._take()
                self._split_last(until)
                if not more:
                    break
        self._stop()
        self._closed = True
        self._emit(ended=False)

    def _split_last(self, until: float) -> None:
        self._split_taken(until - time.monotonic())
        while self._taken:
            if self._valve is None:
                self._split_taken(_LAST_SECONDS)
            else:
                data, self._taken = self._taken, b""
                self._skip(self._valve, data)

    def _stop(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._descriptor)


def _decoded(data: bytearray, *, is_cut: bool) -> str:
    # Of a character that the cut went through nothing is kept: its bytes would hide what is before them.
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    return decoder.decode(data, final=not is_cut)
