"""The child's end of the channel to the supervisor."""

import errno
import fcntl
import os
import select
import socket
import sys
import termios
import threading
import time
from typing import Final

from jobrunner.protocol.frames import Frame, receive_frame
from jobrunner.protocol.messages import Header

_LOOK_AGAIN_SECONDS: Final = 0.0002


class Channel:
    """Sends whole frames from any thread of the child, but only from the child itself.

    If a block forks, two processes have this channel. Data of the copy could come into the middle of a frame, and a
    second outcome would contradict the first. So the copy sends nothing.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        self._lock = threading.Lock()
        self._receiving = threading.Lock()
        self._later: dict[int, list[bytes]] = {}
        """For each thread that sends: frames that it must send after the present one. A signal handler or a finalizer
        can run in the middle of `send`. There it would wait for a lock that its own thread holds, and its data must
        not come into the middle of a frame."""
        self._owner_pid = os.getpid()
        self._identity = _identity(descriptor)

    @property
    def is_mine(self) -> bool:
        """Whether this process is the child that the supervisor knows, not a fork of it."""
        return os.getpid() == self._owner_pid

    def fileno(self) -> int:
        """Return the descriptor, to wait on."""
        return self._socket.fileno()

    def send(self, header: Header, payload: bytes = b"") -> None:
        """Send one frame. Blocks while the supervisor is behind. Raises `OSError` if the supervisor is gone.

        Inside of another `send` of the same thread it returns at once, and the frame is sent after the other one.
        """
        if self.is_mine:
            self._send(header.pack(payload))

    def _send(self, data: bytes) -> None:
        me = threading.get_ident()
        if (later := self._later.get(me)) is not None:
            later.append(data)
            return
        later = []
        try:
            self._later[me] = later
            with self._lock:
                self._socket.sendall(data)
        finally:
            self._send_later(me, later)

    def _send_later(self, thread: int, later: list[bytes]) -> None:
        self._later.pop(thread, None)
        for data in later:
            self._send(data)

    def send_with(self, descriptor: int, header: Header) -> None:
        """Send one frame together with a descriptor. This process keeps its own copy."""
        socket.send_fds(self._socket, [header.pack()], [descriptor])

    def send_if_room(self, header: Header) -> bool:
        """Send one small frame, or nothing if that would have to wait. Return whether it was sent.

        Raises `OSError` if nobody can receive it.

        For frames that the block did not cause. The block may have closed the descriptor, and the number may now be a
        file of the block: that must not get our bytes.
        """
        me = threading.get_ident()
        if not self.is_mine or me in self._later:
            return False
        later: list[bytes] = []
        try:
            self._later[me] = later
            return self._send_if_room(header)
        finally:
            self._send_later(me, later)

    def _send_if_room(self, header: Header) -> bool:
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if _identity(self._socket.fileno()) != self._identity:
                raise OSError(errno.EBADF, "the channel was closed")
            data = header.pack()
            sent = self._socket.send(data, socket.MSG_DONTWAIT)
            # The kernel accepts so few bytes completely or not at all. Half a frame would end the job.
            self._socket.sendall(data[sent:])
        except BlockingIOError:
            return False
        finally:
            self._lock.release()
        return True

    def wait_until_read(self, most_seconds: float) -> float:
        """Wait until the supervisor has read what was sent. Returns for how many seconds; raises `OSError`.

        What is printed after that also reaches the supervisor later, although it goes by another way.
        """
        waited = 0.0
        started = time.monotonic()
        while waited < most_seconds and self.is_mine and _unread_bytes(self._socket.fileno()):
            time.sleep(_LOOK_AGAIN_SECONDS)
            waited = time.monotonic() - started
        return waited

    def receive(self, payload_cap_bytes: int) -> Frame:
        """Wait for the next frame. Raises `EOFError` if the supervisor is gone."""
        return receive_frame(self._socket, payload_cap_bytes)

    def receive_if_any(self, payload_cap_bytes: int) -> Frame | None:
        """Return the next frame if there is one, from any thread. Raises `EOFError` if the supervisor is gone.

        Raises `OSError` if the block has closed the descriptor: what has its number now is not ours to read.
        """
        with self._receiving:
            if _identity(self._socket.fileno()) != self._identity:
                raise OSError(errno.EBADF, "the channel was closed")
            if not select.select([self._socket], [], [], 0)[0]:
                return None
            return self.receive(payload_cap_bytes)

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


def _unread_bytes(descriptor: int) -> int:
    return int.from_bytes(fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
