"""The journal's file: its schema and its settings."""

import os
import secrets
import sqlite3
from pathlib import Path
from typing import Final

from supervisor.errors import StateDirectoryError

SCHEMA_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE claims (
  number      INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id      TEXT NOT NULL,
  block_id    TEXT NOT NULL,
  worker_uuid TEXT NOT NULL,
  claimed_at  REAL NOT NULL,
  digest      TEXT NOT NULL,
  result      BLOB,
  dead_reason TEXT
) STRICT;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the journal, and make it if there is none. Raises `StateDirectoryError` with the reason."""
    try:
        # Before SQLite does it: results may hold what a device said, and are nobody else's to read.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            # The result must be on the disk before its slot is free: FULL syncs the log at each commit.
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA secure_delete = ON")
            _prepare(database, path)
        except BaseException:
            database.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise StateDirectoryError(
            f"The journal {path} can't be opened: {error}. Check its owner and its disk."
        ) from error
    return database


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    if version != 0:
        raise StateDirectoryError(
            f"The journal {path} was written by another version of this worker (schema {version}, "
            f"this one has {SCHEMA_VERSION}). Run that version, or give another --state-dir."
        )
    database.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split(";"):
        database.execute(statement)
    database.execute("INSERT INTO facts VALUES ('digest_key', ?)", (secrets.token_hex(32),))
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")
    database.execute("COMMIT")
