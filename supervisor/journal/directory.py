"""The state directory: locked for this process alone."""

import contextlib
import errno
import fcntl
import os
import stat
import time
from pathlib import Path
from typing import Final

from supervisor.errors import StateDirectoryError
from supervisor.process.user_names import user_name

FILE_NAME: Final = "journal.sqlite3"
LOCK_NAME: Final = "lock"
_OURS: Final = (FILE_NAME, LOCK_NAME, "identity", "place", "worker_uuid", "accepted_results")

_TRIES: Final = 5
_PAUSE_SECONDS: Final = 0.05
"""Between tries: `is_in_use` holds the lock for a moment, and somebody may replace a directory meanwhile."""


class DirectoryLock:
    """Locks a state directory by its own inode and by the file `lock`, until `close` or the end of this process.

    On one machine the lock on the directory's inode counts: nobody can delete the inode while it is open. Earlier
    versions lock only the file. NFS also passes a lock on a file, but not on a directory, to other machines.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.weakness: str | None = None
        """What this file system does not support, if it lacks one of the two locks."""
        self._held: list[int] = []
        self._earlier: list[int] = []
        self._take()

    @property
    def descriptor(self) -> int:
        """The directory's own descriptor."""
        return self._held[0]

    @property
    def is_in_place(self) -> bool:
        """Whether the path still leads to the locked directory."""
        try:
            there = os.stat(self.path)
        except OSError:
            return False
        held = os.fstat(self.descriptor)
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def follow(self) -> bool:
        """Lock the directory that is at the path now; make it if there is none. Returns whether it is another one.

        The old directory stays locked, wherever it is now: its content is this worker's. Raises `StateDirectoryError`
        if the new one can't be used.
        """
        if self.is_in_place:
            return False
        new = take_directory(self.path)
        self._earlier += self._held
        self._held, self.weakness = new._held, new.weakness
        return True

    def close(self) -> None:
        """Release the locks. A second call does nothing."""
        for descriptor in (*self._held, *self._earlier):
            os.close(descriptor)
        self._held, self._earlier = [], []

    def _take(self) -> None:
        self._held.append(os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        try:
            refused = _lock(self.descriptor, fcntl.LOCK_EX)
            # Not by the path: the file must be in the directory that was locked.
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            self._held.append(os.open(LOCK_NAME, flags, 0o600, dir_fd=self.descriptor))
            refused_file = _lock(self._held[1], fcntl.LOCK_EX)
        except BaseException:
            self.close()
            raise
        if refused and refused_file:
            self.close()
            raise refused_file
        if refused:
            self.weakness = f"it can't lock a directory ({refused.strerror}), only the file {LOCK_NAME} in it"
        elif refused_file:
            self.weakness = (
                f"it can't lock files ({refused_file.strerror}), so it is locked on this machine only"
            )


class _ReadersLock(DirectoryLock):
    """Locks another user's directory for root. It makes no file there: the owner could not use a file of root's."""

    def _take(self) -> None:
        self._held.append(os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        try:
            _lock(self.descriptor, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                # Follow no link: opening a device may have an effect.
                flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
                self._held.append(os.open(LOCK_NAME, flags, dir_fd=self.descriptor))
                _lock(self._held[1], fcntl.LOCK_EX)
        except BaseException:
            self.close()
            raise


def take_directory(directory: Path, *, only_to_read: bool = False) -> DirectoryLock:
    """Lock the state directory for as long as this process lives. Blocks while the disk does.

    `only_to_read`: root reads another user's directory, and makes nothing in it.

    Raises `StateDirectoryError`, which names the directory and says what to do.
    """
    try:
        if only_to_read:
            return _take_patiently(directory, _ReadersLock)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_strangers_files(directory)
        return _take_patiently(directory, DirectoryLock)
    except BlockingIOError as error:
        raise StateDirectoryError(
            f"The state directory {directory} is in use by another supervisor. "
            "Give each supervisor of a machine its own --state-dir."
        ) from error
    except (FileExistsError, NotADirectoryError) as error:
        what = "it is a file" if directory.exists() else str(error.strerror)
        raise StateDirectoryError(
            f"The state directory {directory} can't be used: {what}. Give a directory as --state-dir."
        ) from error
    except OSError as error:
        raise StateDirectoryError(
            f"The state directory {directory} can't be used: {error.strerror}. Give another --state-dir."
        ) from error


def is_in_use(directory: Path) -> bool:
    """Whether somebody has locked a state directory. `False` if it can't be looked at. Follows no link in it."""
    for name, flags in ((".", os.O_RDONLY | os.O_DIRECTORY), (LOCK_NAME, os.O_RDWR | os.O_NOFOLLOW)):
        try:
            descriptor = os.open(directory / name, flags | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            # Shared: two processes that only look don't block each other.
            _lock(descriptor, fcntl.LOCK_SH)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def _take_patiently(directory: Path, kind: type[DirectoryLock]) -> DirectoryLock:
    for left in reversed(range(_TRIES)):
        with contextlib.suppress(*(() if not left else (BlockingIOError,))):
            lock = kind(directory)
            if lock.is_in_place:
                return lock
            lock.close()
        time.sleep(_PAUSE_SECONDS)
    raise OSError(errno.EBUSY, "somebody replaces it again and again")


def _lock(descriptor: int, operation: int) -> OSError | None:
    """Lock it, or return why its file system can't. Raises `BlockingIOError` if another process has the lock."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        return error
    return None


def refuse_strangers_files(directory: Path) -> None:
    """Raise `StateDirectoryError` if the directory or a file in it belongs to another user.

    Also for root: root could write there, but the owner could not use the files that root leaves.
    """
    me = os.geteuid()
    for path in (directory, *(directory / name for name in _OURS)):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if path.name == FILE_NAME and not stat.S_ISREG(status.st_mode):
            raise StateDirectoryError(
                f"The journal {path} is no file. Move it away, or give another --state-dir."
            )
        what = "state directory" if stat.S_ISDIR(status.st_mode) else "file"
        if status.st_uid != me:
            raise StateDirectoryError(
                f"The {what} {path} belongs to {user_name(status.st_uid)}, and this worker runs as "
                f"{user_name(me)}. Run it as {user_name(status.st_uid)}, or give another --state-dir."
            )
