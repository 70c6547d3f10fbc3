"""The child's end of the channel to the supervisor."""

import os
import socket
import threading

from jobrunner.protocol.frames import Frame, receive_frame
from jobrunner.protocol.messages import Header


class Channel:
    """Sends whole frames from any thread of the child, and only from the child itself.

    A block that forks has two processes with this channel. What the copy would send could fall into the middle
    of a frame, and a second outcome would contradict the first: the copy stays silent.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        self._lock = threading.Lock()
        self._owner_pid = os.getpid()

    @property
    def is_mine(self) -> bool:
        """Whether this process is the child that the supervisor knows, not a fork of it."""
        return os.getpid() == self._owner_pid

    def fileno(self) -> int:
        """Return the descriptor, to wait on."""
        return self._socket.fileno()

    def send(self, header: Header, payload: bytes = b"") -> None:
        """Send one frame; blocks while the supervisor is behind. Raises `OSError` when it is gone."""
        if not self.is_mine:
            return
        data = header.pack(payload)
        with self._lock:
            self._socket.sendall(data)

    def receive(self, payload_cap_bytes: int) -> Frame:
        """Wait for the next frame. Raises `EOFError` when the supervisor is gone."""
        return receive_frame(self._socket, payload_cap_bytes)
