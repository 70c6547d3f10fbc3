"""What is wrong with the disk or the file, in words that say what to do. Pure."""

import enum
import errno
import sqlite3

from supervisor.errors import SupervisorError
from supervisor.journal.schema import DamagedFileError


class DiskFault(enum.Enum):
    """Kinds of trouble, by what a person must do about them. The values are texts for people."""

    FULL = "the disk is full. Free some space on it, or some inodes if `df -i` shows none left"
    BROKEN = "the disk reports errors. Check it and the kernel's log"
    READ_ONLY = (
        "the file can't be written to. Check whether its disk has become read-only, and its permissions"
    )
    BUSY = "another program holds the file locked. End that program"
    SLOW = "the disk does not answer. Check it and the kernel's log"
    DAMAGED = "the file is damaged"
    GONE = "the file was removed or replaced while it was in use"
    OTHER = "something is wrong with the file or its disk"
    BUG = "this can't be stored, which is a bug in this worker"


DISK_ERRORS = (sqlite3.Error, OSError)

_BY_SQLITE = {
    sqlite3.SQLITE_FULL: DiskFault.FULL,
    sqlite3.SQLITE_IOERR: DiskFault.BROKEN,
    sqlite3.SQLITE_READONLY: DiskFault.READ_ONLY,
    sqlite3.SQLITE_PERM: DiskFault.READ_ONLY,
    sqlite3.SQLITE_BUSY: DiskFault.BUSY,
    sqlite3.SQLITE_LOCKED: DiskFault.BUSY,
    sqlite3.SQLITE_PROTOCOL: DiskFault.BUSY,
    sqlite3.SQLITE_CORRUPT: DiskFault.DAMAGED,
    sqlite3.SQLITE_NOTADB: DiskFault.DAMAGED,
}
_BY_ERRNO = {
    errno.ENOSPC: DiskFault.FULL,
    errno.EDQUOT: DiskFault.FULL,
    errno.EIO: DiskFault.BROKEN,
    errno.EROFS: DiskFault.READ_ONLY,
    errno.EACCES: DiskFault.READ_ONLY,
    errno.EPERM: DiskFault.READ_ONLY,
}


def fault_of(error: BaseException) -> DiskFault:
    """Return the kind of trouble of an error."""
    if isinstance(error, TimeoutError):
        return DiskFault.SLOW
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, DiskFault.OTHER)
    if isinstance(error, DamagedFileError):
        return DiskFault.DAMAGED
    if isinstance(error, SupervisorError):
        return DiskFault.OTHER
    if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
        return _BY_SQLITE.get(error_kind(error), DiskFault.OTHER)
    return DiskFault.BUG


def error_kind(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; `SQLITE_ERROR` if the error comes from the Python module itself."""
    # The lowest byte is the kind, the rest a detail (https://sqlite.org/rescode.html).
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


PASSES_AT_START: frozenset[DiskFault] = frozenset(
    {DiskFault.FULL, DiskFault.BROKEN, DiskFault.BUSY, DiskFault.SLOW}
)
"""A worker may start in spite of these faults: its open jobs are in memory, and the disk may recover."""

PASSES_BY_ITSELF: frozenset[DiskFault] = frozenset({DiskFault.FULL, DiskFault.BUSY, DiskFault.SLOW})
"""After these faults the open file is as good as before."""
