"""The state directory: ours alone, and nobody else's."""

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
"""Between tries: `is_in_use` holds the lock for a moment, and a directory may be replaced while it is taken."""


class DirectoryLock:
    """Holds a state directory, by its own inode and by the file `lock`, until `close`, or this process ends.

    The directory's inode is what counts on one machine: nobody can delete it from under us. The file is what versions
    before this one hold, and what NFS tells other machines of, which it does not do of directories.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.weakness: str | None = None
        """What this file system does not offer, if it lacks one of the two."""
        self._held: list[int] = []
        self._earlier: list[int] = []
        self._take()

    @property
    def descriptor(self) -> int:
        """The directory's own descriptor."""
        return self._held[0]

    @property
    def is_in_place(self) -> bool:
        """Whether the path still leads to the directory that is held."""
        try:
            there = os.stat(self.path)
        except OSError:
            return False
        held = os.fstat(self.descriptor)
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def follow(self) -> bool:
        """Hold the directory that is at the path now, made anew if there is none. Returns whether it is another one.

        The one that was held stays held, wherever it is now: what lies in it is this worker's. Raises
        `StateDirectoryError` when the new one can't be ours.
        """
        if self.is_in_place:
            return False
        new = take_directory(self.path)
        self._earlier += self._held
        self._held, self.weakness = new._held, new.weakness
        return True

    def close(self) -> None:
        """Let others have it. Twice is once."""
        for descriptor in (*self._held, *self._earlier):
            os.close(descriptor)
        self._held, self._earlier = [], []

    def _take(self) -> None:
        self._held.append(os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        try:
            refused = _lock(self.descriptor, fcntl.LOCK_EX)
            # Not through the path: it must be the one in the directory that was locked.
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
    """Holds a directory of another user, for root, who leaves no file there: its owner could not use that."""

    def _take(self) -> None:
        self._held.append(os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        try:
            _lock(self.descriptor, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                # No link: a device that is opened may do something at once.
                flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
                self._held.append(os.open(LOCK_NAME, flags, dir_fd=self.descriptor))
                _lock(self._held[1], fcntl.LOCK_EX)
        except BaseException:
            self.close()
            raise


def take_directory(directory: Path, *, only_to_read: bool = False) -> DirectoryLock:
    """Make the state directory ours alone for as long as this process lives. Blocks while the disk does.

    `only_to_read`: it is another user's, this is root, and nothing is made in it.

    Raises `StateDirectoryError`, which names the directory and says what to do.
    """
    try:
        if only_to_read:
            return _take_patiently(directory, _ReadersLock)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_strangers_files(directory)
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
    """Whether somebody holds a state directory. Takes what can't be looked at for free; follows no link in it."""
    for name, flags in ((".", os.O_RDONLY | os.O_DIRECTORY), (LOCK_NAME, os.O_RDWR | os.O_NOFOLLOW)):
        try:
            descriptor = os.open(directory / name, flags | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            # Shared: two who only look are not in each other's way.
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
    """Lock it, or return why its file system can't. Raises `BlockingIOError` when somebody else has it."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        return error
    return None


def _refuse_strangers_files(directory: Path) -> None:
    """Raise `StateDirectoryError` when the directory or a file in it belong to another user.

    Root too: it could write there, but the files that it leaves could not be used by the owner any more.
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
