"""The journal's file: its schema, its migration from older versions, and its settings."""

import os
import sqlite3
from pathlib import Path
from typing import Final

from supervisor.errors import NewerStateError, StateDirectoryError

_CREATE: Final = (
    """
    CREATE TABLE claims (
      number      INTEGER PRIMARY KEY AUTOINCREMENT,
      job_id      TEXT NOT NULL,
      block_id    TEXT NOT NULL,
      worker_uuid TEXT NOT NULL,
      claimed_at  REAL NOT NULL,
      digest      TEXT NOT NULL,
      result      BLOB,
      dead_reason TEXT
    ) STRICT
    """,
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
)
_ADD_TIME_AND_CHECKSUM: Final = (
    "ALTER TABLE claims ADD COLUMN finished_at REAL",
    "ALTER TABLE claims ADD COLUMN checksum INTEGER",
)
_ADD_REPLACEMENT: Final = ("ALTER TABLE claims ADD COLUMN replaced_by INTEGER",)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    _CREATE,
    _ADD_TIME_AND_CHECKSUM,
    _ADD_REPLACEMENT,
)
"""Step N migrates from version N to the next one. Released steps are never changed."""

SCHEMA_VERSION: Final = len(MIGRATIONS)

BUSY_MILLISECONDS: Final = 5000
"""How long a write waits for another program that holds the file, such as `supervisor journal`."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the journal; make it if there is none; migrate an older one.

    Raises `StateDirectoryError` for a file of a newer version, `OSError` and `sqlite3.Error` if the disk fails
    or the file is damaged.
    """
    # Before SQLite does it: results may hold device output, and nobody else may read them.
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database, path)
    except BaseException as error:
        database.close()
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CANTOPEN:
            _say_why_no_log(path)
        raise
    return database


def _say_why_no_log(path: Path) -> None:
    """Raise the `OSError` that kept SQLite from making its log, such as a full disk. SQLite does not pass it on."""
    # An empty one does no harm.
    os.close(os.open(f"{path}-wal", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    refuse_newer(database, path)
    _refuse_strangers(database, path)
    database.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS:d}")
    database.execute("PRAGMA journal_mode = WAL")
    # The result must be on the disk before its slot is free: FULL syncs the log at each commit.
    database.execute("PRAGMA synchronous = FULL")
    # Deleted content is overwritten, not only marked as free.
    database.execute("PRAGMA secure_delete = ON")
    _migrate(database)
    for (complaint,) in database.execute("PRAGMA quick_check(1)"):
        if complaint != "ok":
            raise DamagedFileError(str(complaint))


class DamagedFileError(sqlite3.DatabaseError):
    """SQLite can read the file, but its content is inconsistent."""


def version_of(database: sqlite3.Connection) -> int:
    """Return the schema's version; 0 is an empty file."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def refuse_newer(database: sqlite3.Connection, path: Path) -> None:
    """Raise `NewerStateError` for a file that a newer worker has written: its meaning is unknown here."""
    version = version_of(database)
    if not 0 <= version <= SCHEMA_VERSION:
        raise NewerStateError(
            f"The journal {path} was written by a newer version of this worker (schema {version}, "
            f"this one knows up to {SCHEMA_VERSION}). Install that version again, or give another "
            "--state-dir: this worker then registers as a new one."
        )


def _refuse_strangers(database: sqlite3.Connection, path: Path) -> None:
    """Raise `StateDirectoryError` for another program's database: the worker must not change it."""
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and version_of(database) == 0:
        raise StateDirectoryError(
            f"The file {path} is another program's database, and no journal. Give another --state-dir."
        )


def _migrate(database: sqlite3.Connection) -> None:
    for version in range(version_of(database), SCHEMA_VERSION):
        # SQLite's schema and its user_version are part of the transaction: a kill in between leaves the older file.
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement in MIGRATIONS[version]:
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {version + 1:d}")
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
