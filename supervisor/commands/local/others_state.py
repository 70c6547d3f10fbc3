"""Copies another user's state for root: only files that are in the directory itself and belong to its owner.

The owner may have put a link there to a file that only root can read, or may do so at any moment. So everything is
opened through the directory's own descriptor, and no link is followed.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from supervisor.commands.local.places import ENGINE_DATABASE, WORKER_DIRECTORY
from supervisor.errors import StateDirectoryError
from supervisor.process.user_names import user_name

_A_LINK: Final = frozenset({errno.ELOOP, errno.ENOTDIR})
"""The kernel's errors if a link is there in place of a file or directory (open(2))."""

_SQLITE_LOCKS_AT: Final = 0x40000000
_SQLITE_LOCKS_BYTES: Final = 512
"""The bytes that SQLite locks for pending, reserved and shared (https://sqlite.org/lockingv3.html)."""


def is_of_another(directory: int | Path) -> bool:
    """Whether this process is root's, and the directory belongs to another user. Raises `OSError`."""
    return os.geteuid() == 0 and os.stat(directory).st_uid != 0


@contextlib.contextmanager
def opened_folder(path: Path) -> Iterator[int]:
    """Open a directory, and yield its descriptor: it stays in this directory, wherever the path leads later."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def owned(name: str, folder: int, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Open an entry of `folder` that belongs to the owner of `folder`, and yield its descriptor.

    An ordinary file, or a directory if `flags` say so. Raises `OSError`, and `StateDirectoryError` for all else.
    """
    try:
        # Without O_NONBLOCK, a FIFO would block this until somebody writes to it.
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in _A_LINK:
            raise _refused(name, folder) from None
        raise
    try:
        status = os.fstat(descriptor)
        is_meant = stat.S_ISDIR if flags & os.O_DIRECTORY else stat.S_ISREG
        if not is_meant(status.st_mode) or status.st_uid != os.fstat(folder).st_uid:
            raise _refused(name, folder)
        yield descriptor
    finally:
        os.close(descriptor)


def copy_bytes(source: int, target: Path) -> None:
    """Copy a file into a new one, readable by this user only. Raises `OSError`."""
    with open(source, "rb", closefd=False) as read, open(target, "xb", opener=_private) as written:
        shutil.copyfileobj(read, written)


def copy_database(folder: int, target: Path) -> None:
    """Copy the database of a stopped engine, with its log (WAL) beside it: SQLite reads both together.

    SQLite itself opens only the copy. Beside the original, it would make files that belong to root. And as root, it
    would do what a journal there says: it may remove the file that the journal names (a super-journal).

    Raises `OSError` and `StateDirectoryError`.
    """
    with owned(ENGINE_DATABASE, folder, os.O_RDWR) as database:
        _keep_sqlite_out(database)
        if _is_there(f"{ENGINE_DATABASE}-journal", folder):
            raise StateDirectoryError(
                "its engine was killed while it made the database. Start `supervisor local` with it once"
            )
        copy_bytes(database, target)
        with contextlib.suppress(FileNotFoundError), owned(f"{ENGINE_DATABASE}-wal", folder) as log:
            copy_bytes(log, target.with_name(f"{target.name}-wal"))


def copy_of_the_worker(name: str, folder: int, target: Path) -> None:
    """Copy a file of the worker's directory, if there is one, and make a directory for it.

    Raises `OSError` and `StateDirectoryError`.
    """
    with (
        contextlib.suppress(FileNotFoundError),
        owned(WORKER_DIRECTORY, folder, os.O_DIRECTORY) as worker,
        owned(name, worker) as file,
    ):
        target.parent.mkdir(mode=0o700)
        copy_bytes(file, target)


def _keep_sqlite_out(database: int) -> None:
    """Lock a database as SQLite does to write. The locks belong to this process, and end with the descriptor."""
    try:
        fcntl.lockf(database, fcntl.LOCK_EX | fcntl.LOCK_NB, _SQLITE_LOCKS_BYTES, _SQLITE_LOCKS_AT)
    except (BlockingIOError, PermissionError):  # the kernel may answer with either (fcntl(2))
        raise StateDirectoryError("database is locked: another program has it open") from None


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _refused(name: str, folder: int) -> StateDirectoryError:
    owner = user_name(os.fstat(folder).st_uid)
    return StateDirectoryError(
        f"in the directory of {owner}, {name} is a link, no ordinary file, or somebody else's. It is not read"
    )
