"""How a job asks the worker for a place before it opens a session on a device: see `sdk.connection.places`."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from typing import Final

from jobrunner.channel import Channel
from jobrunner.protocol.caps import DEVICE_CAP_CHARS, SESSIONS_CAP
from jobrunner.protocol.messages import SessionClosed, SessionWanted

_LISTEN_SECONDS: Final = 0.1
"""How often a thread that waits for its place reads the channel itself. Usually the event loop does it, unless the
block holds it up, for example with `connect_sync`."""


class WorkerPlaces:
    """Asks over the channel. `listen` reads what the supervisor has sent, if anything; any thread may call it."""

    def __init__(self, channel: Channel, limit: int, listen: Callable[[], None]) -> None:
        self.limit = limit
        self._channel = channel
        self._listen = listen
        self._numbers = itertools.count(1)
        self._waiting: dict[int, threading.Event] = {}

    def ask(self, device: str) -> "WorkerPlace":
        """Ask for one session on `device`. Returns at once."""
        number, granted = next(self._numbers), threading.Event()
        if number > SESSIONS_CAP or not self._channel.is_mine:
            # Nobody would answer: neither after so many, nor to a process that the block has forked.
            granted.set()
            return WorkerPlace(granted, self._listen, lambda: None)
        self._waiting[number] = granted
        try:
            self._channel.send(SessionWanted(number=number, device=device[:DEVICE_CAP_CHARS]))
        except OSError:  # the supervisor is gone, and this process ends soon
            granted.set()
        return WorkerPlace(granted, self._listen, lambda: self._give_back(number))

    def granted(self, number: int) -> None:
        """Wake the thread that waits for this session."""
        if (event := self._waiting.pop(number, None)) is not None:
            event.set()

    def _give_back(self, number: int) -> None:
        self._waiting.pop(number, None)
        with contextlib.suppress(OSError):
            self._channel.send(SessionClosed(number=number))


class WorkerPlace:
    """The place of one session."""

    def __init__(
        self, granted: threading.Event, listen: Callable[[], None], give_back: Callable[[], None]
    ) -> None:
        self._granted = granted
        self._listen = listen
        self._give_back = give_back

    def wait(self, seconds: float) -> bool:
        """Wait for at most `seconds`. Return whether it may be used, or was given back. Blocks."""
        end = time.monotonic() + seconds
        while not self._granted.wait(max(0.0, min(_LISTEN_SECONDS, end - time.monotonic()))):
            is_over = time.monotonic() >= end
            self._listen()  # the answer may be there, and this process stood still
            if is_over:
                return self._granted.is_set()
        return True

    def give_back(self) -> None:
        """Give the place back. This wakes a thread that waits for it. Call it once."""
        self._give_back()
        self._granted.set()
