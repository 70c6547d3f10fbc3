"""Logs when a disk takes the journal slowly, or not at all, and when this is really over."""

import asyncio
import logging
from typing import Final

from supervisor.journal.disk_fault import DiskFault
from supervisor.lifecycle.disk_speed import WRITES, DiskSpeed
from supervisor.log.event import tell
from supervisor.log.events.results import JournalFailing, JournalFast, JournalRestored, JournalSlow

_log = logging.getLogger(__name__)

QUIET_MENDS: Final = 30
"""If trouble comes back sooner than after so many pauses between tries (a minute), it counts as the same one. On a
nearly full disk, each job would otherwise begin and end one."""


class JournalTrouble:
    """Gets each fault, and the news that the file is complete again; logs both. `mend_seconds`: between two tries."""

    def __init__(self, mend_seconds: float) -> None:
        self.path = ""
        self.is_told = False
        """Whether the last message said that the journal can't be written."""
        self._mend_seconds = mend_seconds
        self._quiet_seconds = QUIET_MENDS * mend_seconds
        self._over_at = float("-inf")
        self._came_back = False
        self._speed = DiskSpeed()
        self._timer: asyncio.TimerHandle | None = None

    def begins(self, fault: DiskFault, error: BaseException | None) -> None:
        """Log a fault, unless it is logged already. It cancels the report of an end that still waits."""
        self._stop_timer()
        if self.is_told:
            return
        self.is_told = True
        self._came_back = asyncio.get_running_loop().time() - self._over_at < self._quiet_seconds
        reason = fault.value + (f" ({error})" if str(error or "") else "")
        tell(_log, JournalFailing(path=self.path, reason=reason, pause_seconds=self._mend_seconds))

    def ends(self) -> None:
        """The file is complete. Log it at once; if the trouble had come back, only when it stays away for long."""
        self._stop_timer()
        if not self._came_back:
            self._tell_end()
        else:
            self._timer = asyncio.get_running_loop().call_later(self._quiet_seconds, self._tell_end)

    def wrote(self, seconds: float) -> None:
        """Note how long a write took. Log if a disk has become slow, or is fast again."""
        speed = self._speed
        if not speed.wrote(seconds, asyncio.get_running_loop().time()):
            return
        if speed.is_slow:
            tell(_log, JournalSlow(path=self.path, writes=WRITES, least_seconds=speed.least_seconds))
        else:
            tell(_log, JournalFast(path=self.path))

    def close(self, *, is_whole: bool) -> None:
        """The worker ends: log now what would be logged later."""
        waits = self._timer is not None
        self._stop_timer()
        if waits and is_whole:
            self._tell_end()

    def _tell_end(self) -> None:
        self._timer = None
        self.is_told = False
        self._over_at = asyncio.get_running_loop().time()
        tell(_log, JournalRestored(path=self.path))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
