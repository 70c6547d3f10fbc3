"""The supervisor's end of one child's channel: it reads everything that the child sent, even if writing fails.

A child that ends does not read what it was sent. The kernel then refuses the next write, or reports a reset after the
last byte. asyncio's transport takes either as the end of both directions, and its stream raises the error before it
returns the frames that it has read. So an outcome would be lost. Here a refused write ends only the writing, and an
error of the socket comes after all that arrived before it.
"""

import asyncio
import fcntl
import itertools
import socket
import struct
import sys
import termios
from collections import deque
from collections.abc import Callable
from typing import Final

from jobrunner.protocol.frames import FrameError
from supervisor.errors import LaunchError
from supervisor.process.closing import (
    ROOM_FOR_DESCRIPTORS,
    close_beside_the_loop,
    descriptors_in,
    pass_on_urgent_bytes,
)

_READ_BYTES: Final = 256 * 1024
_ROOM_FOR_ONE: Final = socket.CMSG_LEN(struct.calcsize("i"))
_PIECES: Final = 64
"""How many pieces one system call may send at most."""

MOST_UNREAD_BYTES: Final = 128 * 1024
"""The most bytes of frames, without the order, that may wait because the child reads nothing. A frame has about fifty
bytes: no job has so many threads that wait for an answer. The kernel takes as much before any frame waits here."""

Passed = list[tuple[int, int, bytes]]
"""What comes beside the bytes, as `socket.recvmsg` returns it."""


class ChannelStream(asyncio.ReadTransport):
    """Reads into `reader`, and sends without ever waiting. It owns the socket, which must be non-blocking.

    For `reader` it is the transport that `reader` can pause.

    `take_passed` gets what comes beside the first bytes, with at most one descriptor, and the flags of `recvmsg`.
    If it raises (`LaunchError`, `OSError`), `reader` raises that.
    """

    def __init__(
        self,
        channel: socket.socket,
        limit_bytes: int,
        take_passed: Callable[[Passed, int], None] | None = None,
    ) -> None:
        super().__init__()
        self.broken: OSError | None = None
        """Why the channel ended early; `None` if it did not."""
        self._loop = asyncio.get_running_loop()
        self._socket = channel
        self._descriptor = channel.fileno()
        self._take_passed = take_passed
        pass_on_urgent_bytes(channel)
        self._unsent: deque[memoryview] = deque()
        self._answers_bytes = 0
        self._is_read = True
        """Whether there may be more to read."""
        self._is_written = True
        self._is_closed = False
        self.reader = asyncio.StreamReader(limit_bytes, self._loop)
        self.reader.set_transport(self)
        self._loop.add_reader(self._descriptor, self._read)

    def send(self, data: bytes | memoryview) -> None:
        """Send data as soon as the child takes it. Does nothing if the child can't be reached any more."""
        if not self._is_written:
            return
        sent = 0
        if not self._unsent:
            sent = self._sent(data)
            if sent == len(data) or not self._is_written:
                return
            self._loop.add_writer(self._descriptor, self._send_rest)
        self._unsent.append(memoryview(data)[sent:])

    def answer(self, frame: bytes) -> None:
        """Send a frame that the child has asked for. Same as `send`, but the child may not let too many of them wait.

        If it does, `reader` raises `FrameError`, and nothing is sent any more.
        """
        self.send(frame)
        if not self._unsent:
            return
        self._answers_bytes += len(frame)
        if self._answers_bytes > MOST_UNREAD_BYTES:
            self._end_writing()
            problem = (
                f"it asked without reading the answers, of which more than {MOST_UNREAD_BYTES} bytes waited"
            )
            self.reader.set_exception(FrameError(problem, incomplete=False))

    def unread_bytes(self) -> int:
        """Return how many bytes that the child has sent are still in the socket."""
        if self._is_closed:
            return 0
        return int.from_bytes(fcntl.ioctl(self._descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)

    def pause_reading(self) -> None:
        """Leave what comes in the socket: `reader` has enough."""
        if self._is_read:
            self._loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        """Continue to read."""
        if self._is_read:
            try:
                self._loop.add_reader(self._descriptor, self._read)
            except OSError as error:
                self._break(error)

    def close(self) -> None:
        """Close the socket. Unsent data is dropped, and `reader` is at its end."""
        if self._is_closed:
            return
        has_unread = self.unread_bytes() > 0  # also if reading has ended early
        self._is_closed = True
        self._end_writing()
        self._end_reading()
        if has_unread:  # it may contain descriptors
            close_beside_the_loop(self._socket.detach())
        else:
            self._socket.close()
        self._take_passed = None
        del self.reader  # it refers to this object: without this, only the garbage collector would free both

    def _read(self) -> None:
        try:
            data = self._receive() if self._take_passed is None else self._receive_first()
        except (BlockingIOError, InterruptedError):
            return
        except FrameError as error:
            self._loop.remove_reader(self._descriptor)
            self.reader.set_exception(error)
            return
        except OSError as error:  # the kernel reports it when nothing is left to read
            self._break(error)
            return
        if data:
            self.reader.feed_data(data)
        else:
            self._end_reading()

    def _receive(self) -> bytes:
        """Return what has come. Raises `FrameError` if the job has sent descriptors with it: no child does that."""
        # It wants no descriptors, but has room for them: otherwise the kernel would close them in this call.
        data, passed, _, _ = self._socket.recvmsg(_READ_BYTES, ROOM_FOR_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
        if passed:
            close_beside_the_loop(*descriptors_in(passed))
            problem = "descriptors came with what it sent, and the worker takes none"
            raise FrameError(problem, incomplete=False)
        return data

    def _receive_first(self) -> bytes:
        # Not `socket.recv_fds`: Python 3.11 does not pass the flags on.
        data, passed, flags, _ = self._socket.recvmsg(_READ_BYTES, _ROOM_FOR_ONE, socket.MSG_CMSG_CLOEXEC)
        take, self._take_passed = self._take_passed, None
        try:
            assert take is not None
            take(passed, flags)
        except (LaunchError, OSError) as error:
            self.reader.set_exception(error)
        return data

    def _sent(self, *pieces: bytes | memoryview) -> int:
        """Send some of the pieces, and return how many bytes."""
        try:
            return self._socket.send(pieces[0]) if len(pieces) == 1 else self._socket.sendmsg(pieces)
        except (BlockingIOError, InterruptedError):
            return 0
        except ConnectionError:  # the child is gone, which its pidfd shows, or does not listen
            self._end_writing()
        except OSError as error:
            self._break(error)
        return 0

    def _send_rest(self) -> None:
        sent = self._sent(*itertools.islice(self._unsent, _PIECES))
        while self._unsent and sent >= len(self._unsent[0]):
            sent -= len(self._unsent.popleft())
        if self._unsent:
            self._unsent[0] = self._unsent[0][sent:]
        elif self._is_written:
            self._loop.remove_writer(self._descriptor)
            self._answers_bytes = 0

    def _break(self, error: OSError) -> None:
        self.broken = error
        self._end_writing()
        self._end_reading()

    def _end_reading(self) -> None:
        if self._is_read:
            self._is_read = False
            self._loop.remove_reader(self._descriptor)
            self.reader.feed_eof()

    def _end_writing(self) -> None:
        if self._is_written:
            self._is_written = False
            if self._unsent:
                self._loop.remove_writer(self._descriptor)
                self._unsent.clear()
