"""The journal as somebody beside the worker sees and changes it: with a connection of its own, and without its lock.

The worker may run meanwhile: SQLite's log (WAL) lets others read, and a change waits for the writer. In another user's
directory, root has SQLite work with that user's rights: it follows links, and does what a journal beside the file says,
such as to remove the file that this names (a super-journal). What is made there is the owner's then.
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
"""What SQLite may open: the file, its log with the index of that, and the journal of a change that was cut off."""


class JournalAccessError(SupervisorError):
    """The journal can't be looked at or changed as asked. The message says why, and what to do."""


def journal_in(directory: Path) -> Path:
    """Return the journal's file of a state directory. Raises `JournalAccessError` when there is none."""
    path = directory / FILE_NAME
    if not _exists(path):
        raise JournalAccessError(
            f"There is no journal in {directory}. Give the worker's own directory with --state-dir."
        )
    return path


def read_entries(path: Path, with_text_of: Collection[int] = ()) -> list[Entry]:
    """Return all open claims, oldest first, those of these numbers with their results. Raises `JournalAccessError`."""
    with _opened(path) as database:
        # Version 0: a worker has made the file and could not write to it yet.
        return rows.outline(database, with_text_of).entries if version_of(database) else []


def read_facts(path: Path) -> dict[str, str]:
    """Return what the worker remembers of itself. Raises `JournalAccessError`."""
    with _opened(path) as database:
        return rows.outline(database).facts if version_of(database) else {}


def take_back(path: Path, facts: dict[str, str], numbers: Sequence[int]) -> None:
    """Remember facts, and have the next start decide anew about claims that are set aside.

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
    """Return what can be read of a damaged file. Raises `JournalAccessError` when there is no such file."""
    if not _exists(path):
        raise JournalAccessError(f"There is no file {path}.")
    with _as_owner(path) as owner:
        if not _may(os.R_OK, path, owner):
            raise _not_permitted(path, owner)
        return read_damaged(path).entries


def requeue(path: Path, numbers: Sequence[int]) -> int:
    """Have dead letters sent again. Returns how many there were. Raises `JournalAccessError`."""
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
        # The log still holds them; where a reader is in the way, the worker or the next one does it.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return dropped


def _change(database: sqlite3.Connection, statement: str, numbers: Sequence[int]) -> int:
    database.execute("BEGIN IMMEDIATE")
    changed = sum(database.execute(statement, (number,)).rowcount for number in numbers)
    database.execute("COMMIT")
    return changed


@contextlib.contextmanager
def _opened(path: Path, *, to_change: bool = False) -> Iterator[sqlite3.Connection]:
    # Before the rights change: it may load a module, and Python may lie in root's home.
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
    """Have the rights of the directory's owner where root opens another user's journal; give his number then.

    Raises `StateDirectoryError`, also for what is not his.
    """
    with as_owner(path.parent) as owner:
        if owner is not None:
            for side in _SIDES:
                refuse_what_is_not_of(owner, path.with_name(f"{path.name}{side}"))
        yield owner


def _mode_of(path: Path, owner: int | None, *, to_change: bool) -> str:
    """Return how SQLite is to open the file. Raises `JournalAccessError` where this user can't have it so."""
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
    # Where nothing is in the log beside the file, SQLite would make one, even to read. Nobody changes it meanwhile.
    log = path.with_name(f"{path.name}-wal")
    has_log = log.exists() and log.stat().st_size > 0
    return "mode=ro" if has_log else "mode=ro&immutable=1"


def _may(what: int, path: Path, owner: int | None) -> bool:
    # By the real user, root may everything. Of others, the two are one, and old containers refuse to tell of the other.
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
