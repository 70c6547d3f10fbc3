"""What a child hears from the supervisor while it runs a job."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from jobrunner.channel import Channel
from jobrunner.device_sessions import WorkerPlaces
from jobrunner.protocol.caps import HEADER_CAP_BYTES
from jobrunner.protocol.messages import Cancel, SessionGranted, ToChild, to_child


class Hearing:
    """Reads the channel, on the loop, or in any thread that can't wait for the loop. `cancel` gets the reason."""

    def __init__(
        self, channel: Channel, loop: asyncio.AbstractEventLoop, cancel: Callable[[str], None]
    ) -> None:
        self.places: WorkerPlaces | None = None
        self._channel = channel
        self._loop = loop
        self._cancel = cancel

    def hear(self) -> None:
        """Read one message; on the loop, when there may be one."""
        try:
            message = self._next()
        except (EOFError, OSError):
            # Without a supervisor there is nobody to report to. After a fork by a block, only the original may decide.
            if self._channel.is_mine:
                os._exit(1)
            self._loop.remove_reader(self._channel.fileno())
            return
        if isinstance(message, Cancel):
            self._cancel(message.reason)

    def hear_in_thread(self) -> None:
        """Read one message, if there is one."""
        with contextlib.suppress(EOFError, OSError, RuntimeError):  # the loop will notice it, or is closed
            message = self._next()
            if isinstance(message, Cancel):
                self._loop.call_soon_threadsafe(self._cancel, message.reason)

    def _next(self) -> ToChild | None:
        frame = self._channel.receive_if_any(HEADER_CAP_BYTES)
        if frame is None:
            return None
        message = to_child(frame)
        if isinstance(message, SessionGranted) and self.places is not None:
            self.places.granted(message.number)
        return message
