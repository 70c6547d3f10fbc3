"""The state directory: ours alone, and nobody else's."""

import fcntl
import os
import stat
from pathlib import Path
from typing import Final

from supervisor.errors import StateDirectoryError
from supervisor.process.user_names import user_name

FILE_NAME: Final = "journal.sqlite3"


def take_directory(directory: Path) -> int:
    """Make the state directory ours alone for as long as this process lives. Returns the lock's descriptor.

    Raises `StateDirectoryError`, which names the directory and says what to do.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_strangers_files(directory)
        lock = os.open(directory / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise StateDirectoryError(
            f"The state directory {directory} can't be used: it is a file. Give a directory as --state-dir."
        ) from error
    except OSError as error:
        raise StateDirectoryError(
            f"The state directory {directory} can't be used: {error.strerror}. Give another --state-dir."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StateDirectoryError(
            f"The state directory {directory} is in use by another supervisor. "
            "Give each supervisor of a machine its own --state-dir."
        ) from error
    return lock


def _refuse_strangers_files(directory: Path) -> None:
    """Raise `StateDirectoryError` when directory or journal belong to another user.

    Root too: it could write there, but the files that it leaves could not be used by the owner any more.
    """
    me = os.geteuid()
    for path in (directory, directory / FILE_NAME, directory / "lock"):
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
