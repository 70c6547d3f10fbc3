"""The child's event loop shows that it runs: so a block that waits can be told from one that blocks."""

import asyncio
from typing import Final, Protocol

from jobrunner.channel import Channel
from jobrunner.loop_waits import LoopWaits
from jobrunner.protocol.messages import Tick

_IDLE_TICKS: Final = 4
"""After so many ticks in a row between which the loop did nothing, it sleeps. Fewer would make it tell more of its
sleeping than it ticks, where something happens a few times a second."""

_SHORTEST_SLEEP_TICKS: Final = 2
"""It does not begin to sleep where something is due so soon."""


class LoopWatch(Protocol):
    """What looks at the loop, and need not while that sleeps."""

    def rest(self) -> None:
        """Look no more: the loop begins to sleep."""

    def go_on(self) -> None:
        """Look again."""


class Ticker:
    """Ticks on the running loop, from one interval on until `stop`. One that sleeps says so, and ticks when it goes on.

    By `call_later` and not by a task: a block may await, count or cancel all tasks of its loop. Judged by the
    supervisor and not here: no code of this process runs while C code holds the GIL.
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
        # Most jobs are over by then: their silence counts from their order on, and a tick would tell nothing.
        self._tick_later()

    def _tick(self) -> None:
        self._next = None
        # A fork of the block may live on with a copy of this loop. It is not the one that is watched.
        if self._tell(Tick()) is None or not self._channel.is_mine:
            return
        turns, self._turns = self._turns, self._waits.turns
        was_idle = (
            self._waits.possible and self._turns - turns <= 1
        )  # the one in which this tick was waited for
        self._idle_ticks = self._idle_ticks + 1 if was_idle else 0
        if self._idle_ticks >= _IDLE_TICKS:
            self._waits.armed = True  # other callbacks may follow before the loop waits
        else:
            self._tick_later()

    def _tick_later(self) -> None:
        self._next = self._loop.call_later(self._seconds, self._tick)

    def _tell(self, tick: Tick) -> bool | None:
        """Send it, and return whether there was room for it; `None` where nobody can get it."""
        try:
            return self._channel.send_if_room(tick)
        except (
            OSError
        ):  # the block has closed the channel, or the supervisor is gone; either is seen elsewhere
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
        """Tick no more."""
        self._waits.stop()
        if self._next is not None:
            self._next.cancel()
            self._next = None
