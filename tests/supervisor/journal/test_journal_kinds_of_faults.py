"""What kind of trouble an error of the disk or of SQLite is: real errors where they can be had, else their numbers."""

import contextlib
import errno
import os
import sqlite3
from pathlib import Path

import pytest

from supervisor.errors import StateDirectoryError
from supervisor.journal.disk_fault import (
    PASSES_AT_START,
    PASSES_BY_ITSELF,
    DiskFault,
    error_kind,
    fault_of,
)
from supervisor.journal.rows import Loaded
from supervisor.journal.schema import DamagedFileError
from supervisor.journal.store import read_damaged


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("from SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TimeoutError(), DiskFault.SLOW),
        (OSError(errno.ENOSPC, "x"), DiskFault.FULL),
        (OSError(errno.EDQUOT, "x"), DiskFault.FULL),
        (OSError(errno.EIO, "x"), DiskFault.BROKEN),
        (OSError(errno.EROFS, "x"), DiskFault.READ_ONLY),
        (OSError(errno.EACCES, "x"), DiskFault.READ_ONLY),
        (OSError(errno.EPERM, "x"), DiskFault.READ_ONLY),
        (OSError(errno.EMFILE, "x"), DiskFault.OTHER),
        (OSError("without a number"), DiskFault.OTHER),
        (DamagedFileError("x"), DiskFault.DAMAGED),
        (StateDirectoryError("x"), DiskFault.OTHER),
        (sqlite_error(sqlite3.SQLITE_FULL), DiskFault.FULL),
        (sqlite_error(sqlite3.SQLITE_IOERR), DiskFault.BROKEN),
        (sqlite_error(sqlite3.SQLITE_IOERR | 4 << 8), DiskFault.BROKEN),  # SQLITE_IOERR_FSYNC
        (sqlite_error(sqlite3.SQLITE_READONLY), DiskFault.READ_ONLY),
        (sqlite_error(sqlite3.SQLITE_PERM), DiskFault.READ_ONLY),
        (sqlite_error(sqlite3.SQLITE_BUSY | 2 << 8), DiskFault.BUSY),  # SQLITE_BUSY_SNAPSHOT
        (sqlite_error(sqlite3.SQLITE_LOCKED), DiskFault.BUSY),
        (sqlite_error(sqlite3.SQLITE_PROTOCOL), DiskFault.BUSY),
        (sqlite_error(sqlite3.SQLITE_CORRUPT), DiskFault.DAMAGED),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), DiskFault.OTHER),
        (sqlite3.OperationalError("no such column"), DiskFault.OTHER),
        (sqlite3.IntegrityError("a value that the schema refuses"), DiskFault.BUG),
        (sqlite3.InterfaceError("a type that SQLite has not"), DiskFault.BUG),
        (ZeroDivisionError(), DiskFault.BUG),
    ],
    ids=repr,
)
def test_each_error_is_of_one_kind(error: BaseException, fault: DiskFault) -> None:
    assert fault_of(error) is fault


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database" * 100)
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "file")) as database,
        pytest.raises(sqlite3.DatabaseError) as caught,
    ):
        database.execute("SELECT * FROM sqlite_master")
    assert fault_of(caught.value) is DiskFault.DAMAGED


def test_what_the_module_finds_itself_has_no_number_and_is_a_plain_error() -> None:
    assert error_kind(sqlite3.ProgrammingError("closed")) == sqlite3.SQLITE_ERROR == 1


def test_a_worker_starts_in_spite_of_what_may_pass_and_opens_the_file_anew_after_the_rest() -> None:
    assert DiskFault.BROKEN not in PASSES_BY_ITSELF
    assert PASSES_BY_ITSELF | {DiskFault.BROKEN} == PASSES_AT_START
    assert not PASSES_AT_START & {DiskFault.DAMAGED, DiskFault.READ_ONLY, DiskFault.GONE, DiskFault.BUG}


def test_of_a_file_that_can_not_be_opened_nothing_is_read_and_nothing_is_raised(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    assert read_damaged(tmp_path) == Loaded()  # a directory
    (tmp_path / "file").write_bytes(b"no database" * 100)
    assert read_damaged(tmp_path / "file") == Loaded()
    assert len(os.listdir("/proc/self/fd")) == before
