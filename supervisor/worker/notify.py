"""Tells systemd about the worker (sd_notify(3)). Does nothing if no systemd listens."""

import asyncio
import re
from typing import Final

from supervisor.process import kept
from supervisor.process.systemd import Systemd

_MOST_BYTES: Final = 1000
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f]+")
_LONGEST_SECONDS: Final = 365 * 24 * 3600.0
TICKS_PER_WATCHDOG: Final = 4
"""systemd recommends two; here a tick may be late by half of the watchdog's time."""


class Notifier:
    """Sends to the keeper, which alone sends to systemd; without a keeper, to systemd itself."""

    def __init__(self) -> None:
        self._listener = kept.sender() or Systemd.from_environment()

    @property
    def watchdog_seconds(self) -> float | None:
        """How often systemd expects a message from this worker; `None`: never."""
        return None if self._listener is None else self._listener.watchdog_seconds

    def send(self, *lines: str) -> None:
        """Send assignments such as `READY=1`. If that fails, the worker goes on."""
        if self._listener is not None:
            self._listener.send(b"\n".join(map(_as_one_line, lines)))

    async def tick_for_ever(self) -> None:
        """Tell systemd's watchdog that this loop runs, until cancelled. Ends at once if there is no watchdog."""
        if (watchdog := self.watchdog_seconds) is None:
            return
        while True:
            self.send("WATCHDOG=1")
            await asyncio.sleep(watchdog / TICKS_PER_WATCHDOG)


def extended_by(seconds: float) -> str:
    """Return the assignment that asks systemd to wait so long. If 64 bits can't hold it, it is a year."""
    return f"EXTEND_TIMEOUT_USEC={int(min(seconds, _LONGEST_SECONDS) * 1e6)}"


def _as_one_line(text: str) -> bytes:
    # A line break would begin a new assignment.
    return _BREAKS.sub(" ", text).encode(errors="replace")[:_MOST_BYTES].decode(errors="ignore").encode()
