"""The way of a notification: the supervisor says it to the keeper, and the keeper alone says it to systemd.

The pair of sockets is made before the fork that parts the two. No process that the supervisor starts has either end.
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
"""So many notifications wait for a systemd that does not read. Of more, the oldest are dropped."""


class NotificationRelay:
    """The keeper's side: passes on what comes from the supervisor, waiting for neither."""

    def __init__(self, systemd: Systemd) -> None:
        self._systemd = systemd
        self._here, self._there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._here.setblocking(False)
        self._there.setblocking(False)
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)

    def supervisors_end(self) -> "NotificationSender":
        """Return what the supervisor speaks into. To be called in the supervisor, after the fork."""
        self._here.close()
        return NotificationSender(self._there, self._systemd.watchdog_seconds)

    def listen(self) -> None:
        """Have the kernel send SIGIO for each message. To be called in the keeper, which must have blocked it."""
        self._there.close()
        fcntl.fcntl(self._here, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(self._here, fcntl.F_GETFL)
        fcntl.fcntl(self._here, fcntl.F_SETFL, flags | os.O_ASYNC)

    def pass_on(self) -> bool:
        """Pass on all that has come. Returns whether something waits, as systemd's queue is full."""
        while message := self._received():
            message = allowed(message)
            # Said twice in a row, it says no more: ticks of the watchdog must not push anything else out.
            if message and not (self._waiting and self._waiting[-1] == message):
                self._waiting.append(message)
        while self._waiting and self._systemd.send(self._waiting[0]):
            self._waiting.popleft()
        return bool(self._waiting)

    def _received(self) -> bytes:
        try:
            # One byte more, so that what is too long is seen to be.
            return self._here.recv(MAX_BYTES + 1)
        except OSError:  # there is nothing, or the supervisor is gone
            return b""


class NotificationSender:
    """The supervisor's side. `watchdog_seconds` is how often systemd wants to hear of it; `None`: it does not."""

    def __init__(self, end: socket.socket, watchdog_seconds: float | None) -> None:
        self._end = end
        self.watchdog_seconds = watchdog_seconds

    def send(self, message: bytes) -> None:
        """Say it to the keeper. One that is stopped or gone is no reason to stop working."""
        with contextlib.suppress(OSError):
            self._end.send(message)
