"""Checks again and again whether the worker makes progress; systemd's watchdog is fed only while it does.

It asks neither the engine nor anything else that may be away: see `supervisor.lifecycle.progress`.
"""

import asyncio
import logging
from typing import Final, Protocol

from supervisor.lifecycle.progress import STALL_SECONDS, Late, Part, Stall, late_parts
from supervisor.log.event import tell
from supervisor.log.events.worker import ProgressLost, ProgressMade, WorkerStalled
from supervisor.worker.notify import TICKS_PER_WATCHDOG
from supervisor.worker.shared_pause import SharedPause

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0


class Moves(Protocol):
    """A part of the worker."""

    @property
    def due_at(self) -> float | None:
        """By when it must move on, in seconds of the loop's clock; `None`: it has nothing to do."""
        ...


class Feeds(Protocol):
    """Passes assignments such as `WATCHDOG=1` to systemd."""

    @property
    def watchdog_seconds(self) -> float | None:
        """How often systemd expects a message from this worker; `None`: never."""
        ...

    def send(self, *lines: str) -> None:
        """Pass them on."""
        ...


class Progress:
    """Looks at the loop, and at each watched part. `lag_seconds`: how late the loop was at the last look."""

    def __init__(self, notifier: Feeds) -> None:
        self.pause = SharedPause(LOOK_SECONDS)
        """The pause between two looks. Others that look as often share it."""
        self._notifier = notifier
        self._parts: dict[str, Moves] = {}
        self.lag_seconds = 0.0
        self.late: tuple[Late, ...] = ()
        """The parts that were late at the last look; empty while all is well."""
        self._stall: Stall | None = None

    def watch(self, name: str, part: Moves) -> None:
        """Look at this part too, from now on. Messages use `name`: "the poller"."""
        self._parts[name] = part

    def watch_worker(self, heartbeat: Moves, poller: Moves, children: Moves, delivery: Moves) -> None:
        """From now on, look at the parts that a worker must keep going."""
        self.watch("the heartbeat", heartbeat)
        self.watch("the poller", poller)
        self.watch("the start of a child", children)
        self.watch("the delivery of results", delivery)

    async def keep(self) -> None:
        """Look, and feed the watchdog if there is one, until cancelled."""
        loop = asyncio.get_running_loop()
        watchdog = self._notifier.watchdog_seconds
        tick = float("inf") if watchdog is None else watchdog / TICKS_PER_WATCHDOG
        pause = self.pause if tick >= LOOK_SECONDS else SharedPause(tick)
        planned = looked_at = feed_at = loop.time()
        while True:
            now = loop.time()
            self.lag_seconds = max(0.0, now - planned)
            self._note_stall(now, now - looked_at)
            self.look(now)
            if self.lag_seconds > tick:
                # The loop must be on time for a while first: one that rarely runs is no better than one that hangs.
                feed_at = max(feed_at, now + tick / 3)
            elif watchdog is not None and now >= feed_at and not self.late:
                feed_at = now + tick
                self._notifier.send("WATCHDOG=1")
            looked_at = loop.time()
            planned = await pause.wait()

    def _note_stall(self, now: float, since_last_look: float) -> None:
        """Add the time in which nothing here could run to all limits, and log it if it was long."""
        if self.lag_seconds >= LOOK_SECONDS:
            self._stall = Stall(now, since_last_look)
        if self.lag_seconds >= STALL_SECONDS:
            tell(_log, WorkerStalled(seconds=self.lag_seconds))

    def look(self, now: float) -> None:
        """Find out which parts are late, and log a change."""
        parts = (Part(name, part.due_at) for name, part in self._parts.items())
        before, self.late = self.late, late_parts(parts, now, self._stall)
        if self.late and not before:
            tell(_log, ProgressLost(parts=", ".join(map(str, self.late))))
        elif before and not self.late:
            tell(_log, ProgressMade())
