"""What the writer does besides writing: it wipes delivered results, and notices other programs' changes to the file."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from supervisor.journal import rows
from supervisor.journal.records import RowState
from supervisor.journal.schema import BUSY_MILLISECONDS

QUIET_SECONDS: Final = 0.2
"""The queue must have been empty for so long before the log is emptied, so that no job waits for it."""

WIPE_EVERY_SECONDS: Final = 1.0

WIPE_LATEST_SECONDS: Final = 5.0
"""A worker that is never quiet wipes too: a device's output may hold passwords."""

LOOK_EVERY_SECONDS: Final = 2.0


class Maintenance:
    """Used only in the writer's thread. It calls `changed` and `lost` there."""

    def __init__(
        self, path: Path, changed: Callable[[list[RowState]], None], lost: Callable[[], None]
    ) -> None:
        self._path = path
        self._changed = changed
        self._lost = lost
        self._identity: tuple[int, int] | None = None
        self._version: int | None = None
        self._dirty_since: float | None = None
        self._next_wipe = 0.0
        self._next_look = 0.0

    @property
    def pause_seconds(self) -> float:
        """How long the writer may wait for something to do."""
        return LOOK_EVERY_SECONDS if self._dirty_since is None else QUIET_SECONDS

    def opened(self, database: sqlite3.Connection) -> None:
        """Begin to watch a file that was just opened."""
        status = os.stat(self._path)
        self._identity = (status.st_dev, status.st_ino)
        self._version = _data_version(database)
        self.deleted()  # perhaps the run before has deleted rows

    def deleted(self) -> None:
        """Remember that the log still holds what was deleted from the database."""
        if self._dirty_since is None:
            self._dirty_since = time.monotonic()

    def look_again(self) -> None:
        """Report the rows at the next look, even if they do not change until then."""
        self._version = None

    def do(self, database: sqlite3.Connection | None, *, idle: bool) -> None:
        """Do what is due. Raises nothing: trouble with the disk shows at the next write."""
        if database is None:
            return
        now = time.monotonic()
        with contextlib.suppress(sqlite3.Error, OSError):
            if now >= self._next_look:
                self._next_look = now + LOOK_EVERY_SECONDS
                self._look(database)
            if self._is_wipe_due(now, idle=idle):
                self._next_wipe = now + WIPE_EVERY_SECONDS
                self._wipe(database)

    def _is_wipe_due(self, now: float, *, idle: bool) -> bool:
        if self._dirty_since is None or now < self._next_wipe:
            return False
        return idle or now - self._dirty_since > WIPE_LATEST_SECONDS

    def _look(self, database: sqlite3.Connection) -> None:
        try:
            status = os.stat(self._path)
            identity: tuple[int, int] | None = (status.st_dev, status.st_ino)
        except FileNotFoundError:
            identity = None
        if identity != self._identity:
            self._identity = identity
            self._lost()
            return
        # Changes only when another connection has committed (https://sqlite.org/pragma.html#pragma_data_version).
        version = _data_version(database)
        if version != self._version:
            self._version = version
            self._changed(rows.look(database))

    def _wipe(self, database: sqlite3.Connection) -> None:
        """Write the log back and empty it: it holds earlier versions of pages, with their old content."""
        # A reader that blocks this must not hold up the writer: it is tried again later.
        database.execute("PRAGMA busy_timeout = 0")
        try:
            (blocked, _, _) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            database.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS:d}")
        if not blocked:
            self._dirty_since = None


def _data_version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA data_version").fetchone()
    return int(version)
