"""The child's event loop shows that it runs. So the supervisor can tell a block that waits from a block that blocks."""

import asyncio
from typing import Final, Protocol

from jobrunner.channel import Channel
from jobrunner.loop_waits import LoopWaits
from jobrunner.protocol.messages import Tick

_IDLE_TICKS: Final = 4
"""After so many ticks in a row without work in between, the loop sleeps. With fewer, it would send more reports about
sleep than ticks if something happens a few times a second."""

_SHORTEST_SLEEP_TICKS: Final = 2
"""It does not begin to sleep if something is due so soon."""


class LoopWatch(Protocol):
    """A watch on the loop. It can rest while the loop sleeps."""

    def rest(self) -> None:
        """Stop looking: the loop begins to sleep."""

    def go_on(self) -> None:
        """Look again."""


class Ticker:
    """Ticks on the running loop until `stop`, first after one interval. A loop that sleeps reports that, and ticks
    again when it goes on.

    By `call_later`, not by a task: a block may await, count or cancel all tasks of its loop. The supervisor judges the
    ticks, because no code of this process runs while C code holds the GIL.
    """

    def __init__(self, channel: Channel, interval_seconds: float, watch: LoopWatch | None = None) -> None:
        self._channel = channel
        self._seconds = interval_seconds
        self._watch = watch
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.TimerHandle | None = None
        self._waits = LoopWaits(self._loop, self._sleep, self._wake, interval_seconds)
        self._turns = 0
        self._idle_ticks = 0
        # Most jobs are over before the first tick: their silence counts from their order on, so a tick is not needed.
        self._tick_later()

    def _tick(self) -> None:
        self._next = None
        # A fork of the block may live on with a copy of this loop. Nobody watches that copy.
        if self._tell(Tick()) is None or not self._channel.is_mine:
            return
        turns, self._turns = self._turns, self._waits.turns
        was_idle = (
            self._waits.possible and self._turns - turns <= 1
        )  # the turn in which this tick was waited for
        self._idle_ticks = self._idle_ticks + 1 if was_idle else 0
        if self._idle_ticks >= _IDLE_TICKS:
            self._waits.armed = True  # other callbacks may follow before the loop waits
        else:
            self._tick_later()

    def _tick_later(self) -> None:
        self._next = self._loop.call_later(self._seconds, self._tick)

    def _tell(self, tick: Tick) -> bool | None:
        """Send it. Return whether there was room for it; `None` if nobody can receive it."""
        try:
            return self._channel.send_if_room(tick)
        except (
            OSError
        ):  # the block has closed the channel, or the supervisor is gone; other code notices that
            return None

    def _sleep(self, timeout_seconds: float | None) -> bool:
        is_long = timeout_seconds is None or timeout_seconds > _SHORTEST_SLEEP_TICKS * self._seconds
        if is_long and self._tell(Tick(sleeps=True)):
            if self._watch is not None:
                self._watch.rest()
            return True
        self._tick_later()
        return False

    def _wake(self) -> None:
        if self._watch is not None:
            self._watch.go_on()
        self._idle_ticks = 0
        self._tick()

    def stop(self) -> None:
        """Stop ticking."""
        self._waits.stop()
        if self._next is not None:
            self._next.cancel()
            self._next = None
