"""Reads and closes, in threads, ends of pipes into which jobs write: a writer can hold up both.

Both take the lock of the pipe (`pipe_read` and `pipe_release` in Linux's fs/pipe.c). They wait for it in state D, where
no signal reaches them, even if the descriptor does not block. A writer keeps the lock while it waits itself: for the
data that it splices into the pipe, for a disk with the pages that it writes, or for a processor (docs/adr/0059).
poll(2) takes no lock.
"""

import asyncio
import contextlib
import errno
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

READ_BYTES: Final = 64 * 1024
"""The most that is read at once; as much as an ordinary pipe holds."""

_FREE_THREADS: Final = 2
"""So many threads, besides those that are held up."""

HELD_UP_SECONDS: Final = 0.1
"""A thread is held up if one call takes so long: another thread then does its work. A read takes microseconds."""

_LAST_WORDS_SECONDS: Final = 1.0
_LAST_WORDS_READS: Final = 16

Read = Future[bytes | None]
"""Its result is what was read: no bytes at the end of the pipe, `None` if there is nothing now."""


def look_at(end: int) -> int:
    """Return what poll(2) says about a reading end: POLLIN if something is in the pipe, POLLHUP if nobody can write
    into it any more."""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    return next((seen for _, seen in poll.poll(0)), 0)


class PipeThreads:
    """Threads that read and close: two from the beginning, and one more for each that is held up.

    A call that is held up returns when the writer releases the lock, at the latest when the writer is dead. There are
    never more such calls than pipes. The threads are daemon threads: the end of the process does not wait for them.
    Raises `OSError` if no thread can be started.
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._undone = 0
        """How many calls wait or run."""
        self._busy_since: dict[int, float] = {}
        """By the number of the thread."""
        self._being_read: set[int] = set()
        self._to_close: set[int] = set()
        self._looking: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None
        self._start(_FREE_THREADS)
        if not self._threads:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def read(self, end: int) -> Read:
        """Read what is there, at most `READ_BYTES`, without waiting for more. One read at a time for each end."""
        read: Read = Future()
        read.set_running_or_notify_cancel()  # a caller that gives up must not cancel the read
        with self._lock:
            self._being_read.add(end)
        self._do(partial(self._read, end, read))
        return read

    def close(self, end: int) -> None:
        """Close an end that nobody reads any more: now, or when a read that still runs has returned."""
        with self._lock:
            if end in self._being_read:  # its number must not go to another file
                self._to_close.add(end)
                return
        if look_at(end) & select.POLLHUP:  # nobody can hold the lock
            os.close(end)
        else:
            self._do(partial(_close, end))

    def _do(self, call: Callable[[], None]) -> None:
        with self._lock:
            self._undone += 1
            has_thread = self._undone <= self._threads
        self._calls.put(call)
        if not has_thread:
            self._look_soon()

    def _look_soon(self) -> None:
        # A loop that was closed before its look will not look any more.
        if self._looking is None or self._looking[0].is_closed():
            loop = asyncio.get_running_loop()
            self._looking = loop, loop.call_later(HELD_UP_SECONDS, self._look)

    def _look(self) -> None:
        """Start threads in the place of those that are held up, if calls wait for one."""
        self._looking = None
        with self._lock:
            if self._undone <= self._threads:
                return
            missing = self._held_up() + _FREE_THREADS - self._threads
        self._start(missing)
        self._look_soon()

    def _held_up(self) -> int:
        latest = time.monotonic() - HELD_UP_SECONDS
        return sum(since < latest for since in self._busy_since.values())

    def _start(self, count: int) -> None:
        """Start so many threads, or as many as the machine allows: it may allow more in a moment."""
        with contextlib.suppress(RuntimeError):
            for _ in range(count):
                threading.Thread(target=self._work, name="pipes", daemon=True).start()
                with self._lock:
                    self._threads += 1

    def _work(self) -> None:
        me = threading.get_ident()
        while True:
            call = self._calls.get()
            with self._lock:
                self._busy_since[me] = time.monotonic()
            call()
            with self._lock:
                del self._busy_since[me]
                self._undone -= 1
                is_one_too_many = self._threads > self._held_up() + _FREE_THREADS
                if is_one_too_many and self._undone < self._threads:
                    self._threads -= 1
                    return

    def _read(self, end: int, read: Read) -> None:
        data, error = None, None
        try:
            data = os.read(end, READ_BYTES)
        except BlockingIOError:  # another process has read it
            pass
        except Exception as raised:  # the caller waits for it, and the thread must go on
            error = raised
        with self._lock:
            self._being_read.discard(end)
            is_to_close = end in self._to_close
            self._to_close.discard(end)
        if error is None:
            read.set_result(data)
        else:
            read.set_exception(error)
        if is_to_close:
            _close(end)


def _close(end: int) -> None:
    with contextlib.suppress(OSError):
        os.close(end)


_threads: PipeThreads | None = None


def pipe_threads() -> PipeThreads:
    """Return the threads of this process. Raises `OSError` if there are none yet and none can be started."""
    global _threads
    if _threads is None:
        _threads = PipeThreads()
    return _threads


async def last_words(end: int) -> bytes:
    """Return what is in a pipe that nobody has read yet; only a part if a read is held up."""
    said = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS_SECONDS):
            for _ in range(_LAST_WORDS_READS):
                if not look_at(end) & select.POLLIN:
                    break
                more = await asyncio.wrap_future(pipe_threads().read(end))
                said += more or b""
    return said
