"""The channel that a session reads from and writes to, and how it ends: from any thread, within moments."""

from __future__ import annotations

import codecs
import contextlib
import socket
import threading
import time
from typing import Any, Final

from sdk.connection.deadline import Deadline
from sdk.connection.places import SessionPlace
from sdk.connection.prompt import clean, last_words
from sdk.connection.session_log import SessionLog

_CHUNK_BYTES: Final = 65_536


class Terminal:
    """The channel of a session. `driver` is netmiko's object. `ended_because` says why it can't be used any more.

    `log` gets what is sent and received.
    """

    def __init__(self, log: SessionLog | None = None) -> None:
        self.driver: Any = None
        self.ended_because: str | None = None
        self._channel: Any = None
        self._socket: Any = None
        self._client: Any = None
        self._place: SessionPlace | None = None
        self._log = log
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._tail = ""
        self._is_aborted = threading.Event()
        self._read_at = 0.0

    # What the login passes on

    def use_socket(self, sock: Any) -> None:
        """Take over a connected socket, so that `abort` can end it."""
        self._socket = sock
        if self.is_aborted:
            self.abort()

    def use_place(self, place: SessionPlace) -> None:
        """Take over the place among the sessions on the device, and give it back at the end."""
        self._place = place
        if self.is_aborted:
            self.abort()

    def use_client(self, client: Any) -> None:
        """Take over the SSH connection, so that `abort` can end it."""
        self._client = client

    def use(self, driver: Any) -> None:
        """Take over netmiko's object when it has a channel."""
        self.driver = driver
        self._channel = driver.remote_conn
        self._read_at = time.monotonic()

    # Its end

    @property
    def is_aborted(self) -> bool:
        """Whether somebody has ended the session."""
        return self._is_aborted.is_set()

    @property
    def is_usable(self) -> bool:
        """Whether another command can be sent."""
        return self.ended_because is None and self._channel is not None and not self._channel.closed

    @property
    def tail(self) -> str:
        """The end of what the device has sent, as it came: mask it before you show it."""
        return clean(self._tail)

    @property
    def last_line(self) -> str | None:
        """The last line that is not empty, as it came: mask it before you show it."""
        return last_words(self.tail) or None

    def abort(self, because: str = "it was given up") -> None:
        """End the session: a thread that uses it fails within moments. Does not block; any thread may call it."""
        self.ended_because = self.ended_because or because
        self._is_aborted.set()
        sock = self._socket
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        client = self._client
        if client is not None:
            client.close()
        if self._place is not None:
            self._place.give_back()

    def close(self) -> None:
        """End the session. Does not block: paramiko's thread closes the connection and ends by itself."""
        self.abort("it was closed")

    # Reading and writing

    @property
    def quiet_seconds(self) -> float:
        """How long nothing has been received or sent."""
        return time.monotonic() - self._read_at

    def read(self, seconds: float, deadline: Deadline) -> str:
        """Return what comes within `seconds`, "" for nothing. Raises `DeadlineError` and `EOFError`."""
        deadline.check()
        self._channel.settimeout(max(0.001, min(seconds, deadline.left_seconds)))
        try:
            data = self._channel.recv(_CHUNK_BYTES)
        except TimeoutError:
            return ""
        if not data:
            raise EOFError
        self._read_at = time.monotonic()
        text = self._decoder.decode(data)
        self.hear(text)
        return text

    def hear(self, text: str) -> None:
        """Keep the end of what the device has sent, for messages, and write it to the session log."""
        self._tail = (self._tail + text)[-1000:]
        if self._log is not None:
            self._log.received(text)

    def write(self, text: str, *, is_secret: bool = False) -> None:
        """Send `text`. `is_secret` keeps it out of the session log. Raises `OSError`."""
        # If the device accepts nothing any more, `abort` ends this.
        self._channel.settimeout(None)
        if self._log is not None:
            self._log.sent("(a secret)" if is_secret else text)
        self._channel.sendall(text.encode(self.driver.encoding, "replace"))
        self._read_at = time.monotonic()

    def discard_pending(self, deadline: Deadline) -> None:
        """Drop text that nobody asked for, such as a line of the device's log. Raises as `read`."""
        while self._channel.recv_ready():
            self.read(0.001, deadline)
