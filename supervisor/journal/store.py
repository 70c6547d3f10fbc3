"""The journal: a locked state directory, the file in it, and its writer."""

import asyncio
import contextlib
import math
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from supervisor.journal import rows
from supervisor.journal.accepted_results import FILE as ACCEPTED_FILE
from supervisor.journal.accepted_results import AcceptedResults
from supervisor.journal.directory import FILE_NAME
from supervisor.journal.disk_fault import error_kind
from supervisor.journal.maintenance import Maintenance
from supervisor.journal.records import Entry, RowState
from supervisor.journal.rows import Loaded
from supervisor.journal.schema import DamagedFileError
from supervisor.journal.state_directory import StateDirectory
from supervisor.journal.writer import Writer, unheard

Settled = Callable[[BaseException | None], None]
"""Called on the loop with the result of a write, in the order of the writes."""

CLOSE_SECONDS: Final = 15.0
HANGING_CLOSE_SECONDS: Final = 1.0
"""The same for a disk that is known not to answer, if nothing is lost by it."""

_SIDES: Final = ("", "-wal", "-shm")


class Journal:
    """The file on the disk. Data that is given to it is durable when the future is done, unless that raises.

    Futures end with `OSError` or `sqlite3.Error` if the disk fails: `Ledger` knows what to do then.
    `changed` and `lost` are called on the loop if somebody else has changed rows, or removed the file.
    """

    def __init__(
        self,
        directory: Path,
        changed: Callable[[list[RowState]], None] = lambda seen: None,
        lost: Callable[[], None] = lambda: None,
        held: StateDirectory | None = None,
    ) -> None:
        self.path = directory / FILE_NAME
        self._directory = StateDirectory(directory) if held is None else held
        loop = asyncio.get_running_loop()
        self._maintenance = Maintenance(
            self.path,
            lambda seen: _on_loop(loop, lambda: changed(seen)),
            lambda: _on_loop(loop, lost),
        )
        self._writer = Writer(self.path, self._maintenance)
        self._accepted = AcceptedResults(directory / ACCEPTED_FILE)

    def open(self, dead_bytes: float = math.inf) -> "asyncio.Future[Loaded]":
        """Open the file, again if it was open. Read it, with at most `dead_bytes` of dead letters' results.

        Ends with `StateDirectoryError` for a file of a newer version.
        """

        def work() -> Loaded:
            # If it was removed or replaced meanwhile, the new one must be locked before anything is written to it.
            self._directory.follow()
            try:
                database = self._writer.open()
                self._accepted.open()
                loaded = rows.load(database, dead_bytes=dead_bytes)
                loaded.accepted = self._accepted.named(loaded.entries)
                self._accepted.keep(loaded.entries)
            except sqlite3.OperationalError as error:
                self._writer.shut()
                if (
                    error_kind(error) == sqlite3.SQLITE_ERROR
                ):  # a table is missing, a value is not text, and the like
                    raise DamagedFileError(str(error)) from error
                raise
            except BaseException:
                self._writer.shut()
                raise
            return loaded

        return self._writer.call(work)

    def move_aside(self) -> "asyncio.Future[tuple[Path, Loaded]]":
        """Close a damaged file and move it aside. Returns its new path, and what could be read of it."""

        def work() -> tuple[Path, Loaded]:
            self._writer.shut()
            self._accepted.open()
            salvaged = read_damaged(self.path)
            salvaged.accepted = self._accepted.named(salvaged.entries)
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            aside = self.path.with_name(f"{FILE_NAME}.corrupt-{stamp}")
            for side in _SIDES:
                with contextlib.suppress(FileNotFoundError):
                    os.rename(f"{self.path}{side}", f"{aside}{side}")
            return aside, salvaged

        return self._writer.call(work)

    def save(self, entries: list[Entry], settled: Settled = unheard) -> "asyncio.Future[None]":
        """Write the rows of `entries`, all or none."""

        def work(database: sqlite3.Connection) -> None:
            for entry in entries:
                rows.save(database, entry)

        return self._writer.write(work, settled, one_statement=len(entries) == 1)

    def remove(
        self, entry: Entry, settled: Settled = unheard, *, is_over: bool = False
    ) -> "asyncio.Future[None]":
        """Remove a row, and wipe its content from the file soon after.

        The removal is durable with the next write. `is_over`: if the row can't be removed, it is named in
        `accepted_results`, and the next start drops it. Don't use it for a row that got another number: the file may
        not have the new one yet.
        """

        def work(database: sqlite3.Connection) -> None:
            rows.remove(database, entry)
            self._maintenance.deleted()

        def ended(error: BaseException | None) -> None:
            if error is None:
                self._accepted.remove(entry)
            elif is_over and self._may_hold(entry):
                self._accepted.add(entry)

        return self._writer.write(work, settled, synced=False, one_statement=True, ended=ended)

    def name_accepted(self, entry: Entry) -> "asyncio.Future[None]":
        """Name a row that is over, so that the next start drops it: the file is not open, so it can't be removed."""
        return self._writer.call(lambda: self._accepted.add(entry))

    def _may_hold(self, entry: Entry) -> bool:
        try:
            return self._writer.database is None or rows.is_there(self._writer.database, entry)
        except ValueError:  # SQLite never stored an id that it can't hold as text
            return False
        except sqlite3.Error:
            return True

    def save_fact(self, name: str, value: str, settled: Settled = unheard) -> "asyncio.Future[None]":
        """Remember a fact."""
        return self._writer.write(
            lambda database: rows.save_fact(database, name, value), settled, one_statement=True
        )

    def read_text(self, entry: Entry) -> tuple[Entry | None, bool]:
        """Return an entry with the result that only the file has, and whether that is sound. For `call` only."""
        if self._writer.database is None:
            raise OSError("the file is not open")
        return rows.read_text(self._writer.database, entry)

    def call(self, work: Callable[[], None]) -> "asyncio.Future[None]":
        """Do other work on this disk, in the same thread."""
        return self._writer.call(work)

    def look_again(self) -> None:
        """Call `changed` at the next look, even if nothing changes until then."""
        self._maintenance.look_again()

    def close(self, timeout_seconds: float = CLOSE_SECONDS) -> None:
        """Write what waits, close the file, and release the directory. A second call does nothing."""
        # If the disk hangs, the thread may still write: the directory stays locked until this process ends.
        if self._writer.close(timeout_seconds):
            self._directory.close()


def read_damaged(path: Path) -> Loaded:
    """Read what can be read of a damaged file. Raises nothing."""
    try:
        database = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error:
        return Loaded()
    try:
        return rows.salvage(database)
    finally:
        with contextlib.suppress(sqlite3.Error):
            database.close()


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(call)
