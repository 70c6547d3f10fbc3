"""Reads what a process prints, in a thread. Passes it on line by line, and keeps the end of it as evidence."""

import asyncio
import codecs
import concurrent.futures
import contextlib
import re
import select
import time
from collections.abc import Callable
from typing import Final, Protocol

from supervisor.process.pipe_ends import Read, look_at, pipe_threads

_TAIL_BYTES: Final = 64 * 1024
_LINE_CAP_BYTES: Final = 8 * 1024
_LAST_READS: Final = 64
_TURN_SECONDS: Final = 0.005
"""How long lines may be passed on before others have their turn: to mask one takes up to a few milliseconds."""
_LAST_SECONDS: Final = 0.1
"""The same at the end of a reader that was not drained. Later lines are only counted; the tail has them."""
_WAIT_SECONDS: Final = 0.002
_HELD_UP_SECONDS: Final = 1.0
"""How long the end waits for all reads together. A read takes microseconds, unless a process holds it up."""
_TURNS: Final = 3
"""After so many turns of the loop, the worker has heard what the job said over its channel before it printed: the first
turn after the read sees that the socket has something, the second reads it, the third hears it."""
_EMPTY_LINES: Final = re.compile(rb"\n[\r\n]*\n")
_UNREAD: Final = "… [what was printed after this could not be read: a process holds its pipe up]"


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
    """Reads one end of a pipe. The caller owns it, and closes it with `PipeThreads.close`: a thread may be reading it.

    A thread reads one portion at a time, and only if there is something: a process can hold up a read for as long as
    its job runs (`process.pipe_ends`).
    Output that is not UTF-8 is shown with escapes, never dropped. A line of more than 8 KiB is cut once, with a mark.
    `mask` is for a line that was cut, or has not ended: it may end with half a secret. Whole lines pass unmasked.
    While `must_wait` is true, no line is passed on: the worker has not heard yet what the job said before it printed.
    Raises `OSError` if the end can't be watched.
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
        self.is_unread = False
        """Whether a read was held up at the end, so the last output is missing."""
        self._descriptor = descriptor
        self._on_line = on_line
        self._valve = valve
        self._mask = mask
        self._must_wait = must_wait
        self._partial = bytearray()
        self._missing_bytes = 0
        self._tail = bytearray()
        self._reading = True
        self._ending = False
        self._closed = False
        self._drained = False
        self._taken = b""
        self._read: Read | None = None
        """The read that is under way."""
        self._came: asyncio.Future[None] | None = None
        self._waited_seconds = 0.0
        self._threads = pipe_threads()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read_some)
        self._watched = True

    def _read_some(self) -> None:
        # One read at a time: a process that floods its output must not hold the loop.
        if self._begin_read():
            # Otherwise the kernel would report it in each turn of the loop until it is read.
            self._unwatch()

    def _begin_read(self) -> bool:
        """Start a read in a thread if there is something to read. Returns whether it did."""
        if not self._reading:
            return False
        seen = look_at(self._descriptor)
        if seen & select.POLLIN:
            self._read = self._threads.read(self._descriptor)
            self._read.add_done_callback(self._tell_loop)
            return True
        if seen:  # everything is read, and nobody can write any more
            self._stop()
        return False

    def _tell_loop(self, read: Read) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody needs it any more
            self._loop.call_soon_threadsafe(self._hear, read)

    def _hear(self, read: Read) -> None:
        if read is not self._read or self._closed:
            return  # `finish` has taken it, or has given it up
        if self._came is not None and not self._came.done():
            self._came.set_result(None)
        self._loop.call_soon(self._pass_on_after, _TURNS - 1)
        self._take(read)

    def _pass_on_after(self, turns: int) -> None:
        # First the worker hears what came over the channel before this was printed, such as a secret to mask in it.
        if turns:
            self._loop.call_soon(self._pass_on_after, turns - 1)
        else:
            self._pass_on()

    def _pass_on(self) -> None:
        if self._taken and self._must_wait():
            self._loop.call_later(_WAIT_SECONDS, self._pass_on)
            return
        self._split_taken(_TURN_SECONDS)
        if self._taken:
            self._loop.call_soon(self._pass_on)
        else:
            self._watch()

    def _watch(self) -> None:
        if self._watched or self._ending or not self._reading or self._read is not None:
            return
        try:
            self._loop.add_reader(self._descriptor, self._read_some)
        except OSError:  # epoll has no room or no memory for it now; it may have in a moment
            self._loop.call_later(_WAIT_SECONDS, self._watch)
        else:
            self._watched = True

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._descriptor)

    def _take(self, read: Read) -> None:
        """Take what was read."""
        self._read = None
        data = read.result()
        if data is None:
            return
        if not data:
            self._stop()
        self._taken += data
        self._tail += data
        if len(self._tail) > 2 * _TAIL_BYTES:
            del self._tail[:-_TAIL_BYTES]

    def _split_taken(self, seconds: float) -> None:
        """Pass on lines of `_taken` for so long. The rest stays there."""
        if self._taken:
            data, self._taken = self._taken, b""
            self._taken = self._split(data, time.monotonic() + seconds)

    def _split(self, data: bytes, until: float) -> bytes:
        """Pass on lines until the time `until`, and return the rest."""
        # Empty lines are not passed on, so they would never close the valve: 64 KiB of them took 28 ms.
        data = _EMPTY_LINES.sub(b"\n", data)
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            # Checked for each line: a portion may have 32 thousand of them.
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
        # Only counted: the flood of one job must not take the loop's time from other jobs.
        valve.skip(data.count(b"\n"))
        self._partial.clear()
        self._missing_bytes = 0
        self._extend(data[data.rfind(b"\n") + 1 :])

    def _extend(self, data: bytes) -> None:
        # Bytes above the cap are only counted: a process that never ends its line must not fill the memory.
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

        It is for the output of a process that has ended. It waits a second at most for a read that is held up, for
        example by a process that can't be killed. If it is cancelled, `finish` does the rest.
        """
        self._begin_end()
        for _ in range(_LAST_READS):
            while self._taken:
                self._split_taken(_TURN_SECONDS)
                if self._taken:
                    await asyncio.sleep(0)
            if not await self._take_more():
                break
        self._drained = not self._taken

    async def _take_more(self) -> bool:
        """Take one portion if there is one. Returns whether it came."""
        if self._read is None and not self._begin_read():
            return False
        self._came, began = self._loop.create_future(), self._loop.time()
        await asyncio.wait((self._came,), timeout=_HELD_UP_SECONDS - self._waited_seconds)
        self._waited_seconds += self._loop.time() - began
        return self._read is None

    def finish(self) -> None:
        """Take what is there now and stop, in a moment.

        It never waits longer: some process may hold the other end open for ever, and hold up a read as long.
        """
        if self._closed:
            return
        self._begin_end()
        until = time.monotonic() + _LAST_SECONDS
        self._waited_seconds = max(self._waited_seconds, _HELD_UP_SECONDS - _LAST_SECONDS)
        self._split_last(until)
        for _ in range(0 if self._drained else _LAST_READS):
            more = self._take_more_now()
            self._split_last(until)
            if not more:
                break
        self._stop()
        self._closed = True
        self._emit(ended=False)
        if self._read is not None:
            self.is_unread = True
            self._on_line(_UNREAD)

    def _take_more_now(self) -> bool:
        """Same as `_take_more`, but the loop waits for it."""
        if self._read is None and not self._begin_read():
            return False
        assert self._read is not None
        began = time.monotonic()
        done, _ = concurrent.futures.wait((self._read,), _HELD_UP_SECONDS - self._waited_seconds)
        self._waited_seconds += time.monotonic() - began
        for read in done:
            self._take(read)
        return bool(done)

    def _split_last(self, until: float) -> None:
        self._split_taken(until - time.monotonic())
        while self._taken:
            if self._valve is None:
                self._split_taken(_LAST_SECONDS)
            else:
                data, self._taken = self._taken, b""
                self._skip(self._valve, data)

    def _begin_end(self) -> None:
        self._ending = True
        self._unwatch()

    def _stop(self) -> None:
        self._reading = False
        self._unwatch()


def _decoded(data: bytearray, *, is_cut: bool) -> str:
    # If the cut goes through a character, its bytes are dropped: they would hide the text before them.
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    return decoder.decode(data, final=not is_cut)
