"""Opens the database: permissions, journal mode, tables, and the one kind of transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sdk.devengine.errors import DatabaseError
from sdk.devengine.options import IN_MEMORY

_APPLICATION_ID = 0x6E64_6576  # "ndev": marks our files among other SQLite files
_SCHEMA_VERSION = 1

# The header of SQLite's file format: its first bytes, the byte for WAL mode, and the application's number.
_MAGIC = b"SQLite format 3\0"
_WRITE_VERSION_AT, _WAL = 18, 2
_APPLICATION_ID_AT = slice(68, 72)
_HEADER_BYTES = 100
_FOREIGN = "it is the database of another program"

_TABLES = """
CREATE TABLE jobs (
    sequence INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    block TEXT NOT NULL,
    step_label TEXT,
    type TEXT NOT NULL,
    run_on TEXT NOT NULL,
    entity_id NUMERIC,
    status TEXT NOT NULL,
    result_status TEXT,
    worker_id TEXT,
    attempts INTEGER NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    claimed_at REAL,
    finished_at REAL,
    finished_by TEXT,
    item_text TEXT NOT NULL,
    result_text TEXT
);
-- Claims and checks look at unfinished jobs only; finished ones cost them nothing, however many there are.
-- Two indexes, since SQLite uses a partial one only for a query that repeats its condition.
CREATE INDEX pending_jobs ON jobs (sequence) WHERE status = 'pending';
CREATE INDEX polled_jobs ON jobs (sequence) WHERE status = 'polled';
CREATE TABLE attempts (
    job_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    worker_id TEXT,
    claimed_at REAL,
    finished_at REAL NOT NULL,
    finished_by TEXT NOT NULL,
    result_text TEXT NOT NULL,
    PRIMARY KEY (job_id, attempt)
) WITHOUT ROWID;
CREATE TABLE workers (
    sequence INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    version TEXT NOT NULL,
    name TEXT,
    ip_address TEXT,
    state TEXT NOT NULL,
    last_ping_at REAL NOT NULL,
    last_seen_at REAL NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    deleted_at REAL
);
CREATE TABLE registrations (
    sequence INTEGER PRIMARY KEY,
    package TEXT NOT NULL,
    name TEXT NOT NULL,
    major INTEGER NOT NULL,
    minor INTEGER NOT NULL,
    patch INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    UNIQUE (package, name, major, minor, patch)
);
CREATE TABLE registration_workers (
    sequence INTEGER PRIMARY KEY,
    registration INTEGER NOT NULL REFERENCES registrations (sequence),
    worker_id TEXT NOT NULL,
    UNIQUE (registration, worker_id)
);
CREATE INDEX blocks_of_worker ON registration_workers (worker_id);
CREATE TABLE logs (
    sequence INTEGER PRIMARY KEY,
    workflow_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    block TEXT NOT NULL,
    entry TEXT NOT NULL,
    level TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    received_at REAL NOT NULL
);
"""


class Database:
    """One open database. All changes inside `transaction()` are committed when it ends.

    Raises `DatabaseError` if the file can't be opened, belongs to another program, or is in use.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        if str(path) != IN_MEMORY:
            _create_private_file(Path(path))
        try:
            # No implicit transactions: only `transaction()` begins and ends them.
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        except sqlite3.Error as error:
            raise _unusable(path, str(error)) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            if "locked" in str(error):
                raise _unusable(
                    path, "another engine uses it", "stop that one, or choose another file"
                ) from error
            raise _unusable(path, str(error)) from error
        except DatabaseError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; SQLite writes the WAL into it. The database can't be used after that."""
        self._connection.close()

    def copy_beside(self, name: str) -> Path:
        """Copy everything that is committed into a new private file beside this one. Returns its path.

        It blocks the caller for as long as the disk takes. Raises `DatabaseError`; no file is left then.
        """
        if str(self._path) == IN_MEMORY:
            raise DatabaseError("this engine keeps its database in memory; there is no directory for a copy")
        path = Path(self._path).with_name(name)
        if path.exists():
            raise _unusable(path, "it is there already", "choose another name")
        _create_private_file(path)
        try:
            with closing(sqlite3.connect(path)) as copy:
                self._connection.backup(copy)
        except sqlite3.Error as error:
            path.unlink(missing_ok=True)
            raise _unusable(path, str(error), "make room on its disk") from error
        return path

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement. Outside of `transaction()` it commits by itself."""
        return self._connection.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything in the `with` block together, or nothing if it raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # After some errors, such as a full disk, SQLite has already rolled back by itself.
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def _prepare(self) -> None:
        # One process owns the file. So a second engine on it is refused at once and can't claim the same
        # jobs, and SQLite needs no shared memory file.
        self.execute("PRAGMA locking_mode=EXCLUSIVE")
        self.execute("PRAGMA journal_mode=WAL")
        # A commit reaches the kernel before the answer, so it survives kill -9. Only a power loss can lose the
        # newest commits. A development engine may lose them; FULL costs one fsync for each claim and result.
        self.execute("PRAGMA synchronous=NORMAL")
        with self.transaction():
            (application_id,) = self.execute("PRAGMA application_id").fetchone()
            (version,) = self.execute("PRAGMA user_version").fetchone()
            (tables,) = self.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not tables:
                self._create_tables()
            elif application_id != _APPLICATION_ID:
                raise _unusable(self._path, _FOREIGN, "choose another file")
            elif version != _SCHEMA_VERSION:
                raise _unusable(self._path, f"it has format {version}, this engine needs {_SCHEMA_VERSION}")

    def _create_tables(self) -> None:
        # executescript() would commit the transaction, but all tables must be created or none.
        for statement in filter(str.strip, _TABLES.split(";\n")):
            self.execute(statement)
        self.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        self.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")


def _create_private_file(path: Path) -> None:
    """Make the file readable by its owner only: contexts of jobs hold device passwords.

    SQLite gives its WAL the permissions of the main file. A file that surely belongs to another program is not touched.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from error
    try:
        _refuse_a_foreign_file(path, os.pread(descriptor, _HEADER_BYTES, 0))
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise _unusable(path, f"its permissions can't be narrowed: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _refuse_a_foreign_file(path: Path, header: bytes) -> None:
    """Raise `DatabaseError` if the header is not from our engine.

    It is too late to ask SQLite: when it is asked for WAL mode, it writes that into the file. A killed engine may have
    left a header without our number (it is in the WAL then), but never without WAL mode.
    """
    if not header:
        return
    if not header.startswith(_MAGIC):
        raise _unusable(path, "file is not a database")
    number = int.from_bytes(header[_APPLICATION_ID_AT])
    if number != _APPLICATION_ID and (number or header[_WRITE_VERSION_AT] != _WAL):
        raise _unusable(path, _FOREIGN, "choose another file")


def _unusable(
    path: str | Path, reason: str, advice: str = "choose another file, or move this one away"
) -> DatabaseError:
    return DatabaseError(f"database {path} can't be used: {reason}; {advice}")
