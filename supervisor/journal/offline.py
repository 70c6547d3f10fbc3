"""Reads and changes the journal from outside of the worker: with a connection of its own, and without its lock.

The worker may run meanwhile: SQLite's log (WAL) lets others read, and a change waits for the writer. In another user's
directory, root lets SQLite work with that user's rights. The reason: SQLite follows links, and does what a journal
beside the file says. It may, for example, remove a file named there (a super-journal). New files belong to the owner.
"""

import contextlib
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from supervisor.errors import SupervisorError
from supervisor.journal import rows
from supervisor.journal.directory import FILE_NAME
from supervisor.journal.disk_fault import DiskFault, fault_of
from supervisor.journal.records import Entry
from supervisor.journal.schema import BUSY_MILLISECONDS, refuse_newer, version_of
from supervisor.journal.store import read_damaged
from supervisor.process.owners_rights import as_owner, refuse_what_is_not_of
from supervisor.process.user_names import user_name, who_may_use

_SIDES: Final = ("", "-wal", "-shm", "-journal")
"""The files that SQLite may open: the database, its log, the log's index, and the journal of an unfinished change."""


class JournalAccessError(SupervisorError):
    """The journal can't be read or changed as asked. The message says why, and what to do."""


def journal_in(directory: Path) -> Path:
    """Return the journal's file in a state directory. Raises `JournalAccessError` if there is none."""
    path = directory / FILE_NAME
    if not _exists(path):
        raise JournalAccessError(
            f"There is no journal in {directory}. Give the worker's own directory with --state-dir."
        )
    return path


def read_entries(path: Path, with_text_of: Collection[int] = ()) -> list[Entry]:
    """Return all open claims, oldest first; these numbers with their results. Raises `JournalAccessError`."""
    with _opened(path) as database:
        # Version 0: a worker has made the file but could not write to it yet.
        return rows.outline(database, with_text_of).entries if version_of(database) else []


def read_facts(path: Path) -> dict[str, str]:
    """Return the facts that the worker remembers. Raises `JournalAccessError`."""
    with _opened(path) as database:
        return rows.outline(database).facts if version_of(database) else {}


def take_back(path: Path, facts: dict[str, str], numbers: Sequence[int]) -> None:
    """Remember facts, and let the next start decide again about claims that are set aside.

    No worker may have the journal open. Raises `JournalAccessError`.
    """
    with _opened(path, to_change=True) as database:
        database.execute("BEGIN IMMEDIATE")
        for name, value in facts.items():
            rows.save_fact(database, name, value)
        for number in numbers:
            database.execute(
                "UPDATE claims SET dead_reason = NULL WHERE number = ? AND result IS NULL", (number,)
            )
        database.execute("COMMIT")


def salvage_entries(path: Path) -> list[Entry]:
    """Return what can be read of a damaged file. Raises `JournalAccessError` if there is no such file."""
    if not _exists(path):
        raise JournalAccessError(f"There is no file {path}.")
    with _as_owner(path) as owner:
        if not _may(os.R_OK, path, owner):
            raise _not_permitted(path, owner)
        return read_damaged(path).entries


def requeue(path: Path, numbers: Sequence[int]) -> int:
    """Requeue dead letters: they are sent again. Returns how many there were. Raises `JournalAccessError`."""
    with _opened(path, to_change=True) as database:
        return _change(
            database,
            "UPDATE claims SET dead_reason = NULL WHERE number = ? AND dead_reason NOT NULL",
            numbers,
        )


def drop(path: Path, numbers: Sequence[int]) -> int:
    """Wipe dead letters from the file. Returns how many there were. Raises `JournalAccessError`."""
    with _opened(path, to_change=True) as database:
        database.execute("PRAGMA secure_delete = ON")
        dropped = _change(database, "DELETE FROM claims WHERE number = ? AND dead_reason NOT NULL", numbers)
        # The log still holds them. If a reader blocks this, the running worker or the next one does it.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return dropped


def _change(database: sqlite3.Connection, statement: str, numbers: Sequence[int]) -> int:
    database.execute("BEGIN IMMEDIATE")
    changed = sum(database.execute(statement, (number,)).rowcount for number in numbers)
    database.execute("COMMIT")
    return changed


@contextlib.contextmanager
def _opened(path: Path, *, to_change: bool = False) -> Iterator[sqlite3.Connection]:
    # Before the rights change: this may import a module, and Python may be in root's home.
    address = path.absolute().as_uri()
    with _as_owner(path) as owner:
        try:
            mode = _mode_of(path, owner, to_change=to_change)
            database = sqlite3.connect(f"{address}?{mode}", uri=True, isolation_level=None)
            try:
                database.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS:d}")
                refuse_newer(database, path)
                yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            fault = fault_of(error)
            if fault is DiskFault.DAMAGED:
                raise JournalAccessError(
                    f"The journal {path} is damaged ({error}). To see what can be read of it: "
                    f"supervisor journal list --file {path}"
                ) from error
            raise JournalAccessError(f"The journal {path} can't be used ({error}): {fault.value}.") from error


@contextlib.contextmanager
def _as_owner(path: Path) -> Iterator[int | None]:
    """Take the rights of the directory's owner if root opens another user's journal; then yield the owner's number.

    Raises `StateDirectoryError`, also if a file is not the owner's.
    """
    with as_owner(path.parent) as owner:
        if owner is not None:
            for side in _SIDES:
                refuse_what_is_not_of(owner, path.with_name(f"{path.name}{side}"))
        yield owner


def _mode_of(path: Path, owner: int | None, *, to_change: bool) -> str:
    """Return the mode in which SQLite must open the file. Raises `JournalAccessError` if this user may not."""
    if not _is_on_a_read_only_disk(path):
        if not _may(os.R_OK | os.W_OK, path, owner):
            raise _not_permitted(path, owner)
        return "mode=rw"
    if to_change:
        raise JournalAccessError(
            f"The journal {path} can't be changed: its file system is read-only. Check the disk and the kernel's log, "
            "and mount it anew."
        )
    if not _may(os.R_OK, path, owner):
        raise _not_permitted(path, owner)
    # If the log beside the file is empty, SQLite would make one, even to read. Nobody changes the file meanwhile.
    log = path.with_name(f"{path.name}-wal")
    has_log = log.exists() and log.stat().st_size > 0
    return "mode=ro" if has_log else "mode=ro&immutable=1"


def _may(what: int, path: Path, owner: int | None) -> bool:
    # With its real user id, root may do everything. For other users both ids are equal, and old containers refuse the
    # check with the effective one.
    return os.access(path, what, effective_ids=owner is not None)


def _is_on_a_read_only_disk(path: Path) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError as error:
        raise _not_permitted(path) from error


def _not_permitted(path: Path, owner: int | None = None) -> JournalAccessError:
    if owner is None:
        return JournalAccessError(who_may_use("the journal", path))
    return JournalAccessError(
        f"{user_name(owner)} may not use the journal {path}, and root has the rights of that user there. "
        f"Give them: chmod u+rw {path}"
    )
