"""The child's event loop shows that it runs: so a block that waits can be told from one that blocks."""

import asyncio

from jobrunner.channel import Channel
from jobrunner.protocol.messages import Tick


class Ticker:
    """Ticks on the running loop, from now until `stop`.

    By `call_later` and not by a task: a block may await, count or cancel all tasks of its loop. Judged by the
    supervisor and not here: no code of this process runs while C code holds the GIL.
    """

    def __init__(self, channel: Channel, interval_seconds: float) -> None:
        self._channel = channel
        self._seconds = interval_seconds
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.TimerHandle | None = None
        self._tick()

    def _tick(self) -> None:
        try:
            self._channel.send_if_room(Tick())
        except (
            OSError
        ):  # the block has closed the channel, or the supervisor is gone; either is seen elsewhere
            return
        # A fork of the block may live on with a copy of this loop. It is not the one that is watched.
        if self._channel.is_mine:
            self._next = self._loop.call_later(self._seconds, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
