"""The way of a notification: the supervisor sends it to the keeper, and only the keeper sends it to systemd.

The socket pair is made before the fork of the supervisor. No process that the supervisor starts has either end.
"""

import contextlib
import fcntl
import os
import socket
from collections import deque
from typing import Final

from supervisor.process.systemd import MAX_BYTES, Systemd, allowed

RETRY_SECONDS: Final = 0.2
_MOST_WAITING: Final = 16
"""So many notifications wait for a systemd that does not read. If there are more, the oldest are dropped."""


class NotificationRelay:
    """The keeper's side: passes on the supervisor's messages, and waits for neither side."""

    def __init__(self, systemd: Systemd) -> None:
        self._systemd = systemd
        self._here, self._there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._here.setblocking(False)
        self._there.setblocking(False)
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)

    def supervisors_end(self) -> "NotificationSender":
        """Return the supervisor's end. The supervisor calls it after the fork."""
        self._here.close()
        return NotificationSender(self._there, self._systemd.watchdog_seconds)

    def listen(self) -> None:
        """Ask the kernel to send SIGIO for each message. Call it in the keeper, which must have blocked SIGIO."""
        self._there.close()
        fcntl.fcntl(self._here, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(self._here, fcntl.F_GETFL)
        fcntl.fcntl(self._here, fcntl.F_SETFL, flags | os.O_ASYNC)

    def pass_on(self) -> bool:
        """Pass on all that has come. Returns whether something waits because systemd's queue is full."""
        while message := self._received():
            message = allowed(message)
            # A repeated message has no news: ticks of the watchdog must not push out other messages.
            if message and not (self._waiting and self._waiting[-1] == message):
                self._waiting.append(message)
        while self._waiting and self._systemd.send(self._waiting[0]):
            self._waiting.popleft()
        return bool(self._waiting)

    def _received(self) -> bytes:
        try:
            # One byte more: this shows that a message is too long.
            return self._here.recv(MAX_BYTES + 1)
        except OSError:  # there is no message, or the supervisor is gone
            return b""


class NotificationSender:
    """The supervisor's side. `watchdog_seconds`: how often systemd expects a message; `None`: it expects none."""

    def __init__(self, end: socket.socket, watchdog_seconds: float | None) -> None:
        self._end = end
        self.watchdog_seconds = watchdog_seconds

    def send(self, message: bytes) -> None:
        """Send a message to the keeper. If the keeper is stopped or gone, the worker goes on."""
        with contextlib.suppress(OSError):
            self._end.send(message)
