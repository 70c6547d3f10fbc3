"""Small files that somebody else may have put there: read without trust, replaced in one step."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from supervisor.errors import SupervisorError

_MOST_BYTES: Final = 64 * 1024


class NotAFileError(SupervisorError, OSError):
    """Something else is there in place of an ordinary file. `mode` says what (inode(7))."""

    def __init__(self, path: str | os.PathLike[str], mode: int) -> None:
        super().__init__(f"{os.fspath(path)} is no ordinary file")
        self.mode = mode


@contextlib.contextmanager
def ordinary_file(path: str | os.PathLike[str], owner: int | None = None) -> Iterator[int]:
    """Open a file to read, and yield its descriptor. Raises `OSError`; `NotAFileError` if it is not an ordinary file.

    `owner` is the number of the user who must own it, if this matters. Then no link is followed, either.

    A FIFO in its place would block an ordinary open until somebody writes to it (fifo(7)).
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags if owner is None else flags | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or owner not in (None, status.st_uid):
            raise NotAFileError(path, status.st_mode)
        yield descriptor
    finally:
        os.close(descriptor)


def read_small_file(path: Path, most_bytes: int = _MOST_BYTES) -> bytes:
    """Return the beginning of a file. Raises `OSError`, also if it is not an ordinary file."""
    with ordinary_file(path) as descriptor:
        return os.read(descriptor, most_bytes)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file, readable only by its owner. After a power failure it is complete: the old one or the new one.

    A link or a FIFO in its place is replaced too, and never written to. Blocks until the file is on the disk. Raises
    `OSError`; then the old file stays.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    try:
        _write_new(new, content)
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()  # half a file is useless, and takes space from others on a full disk
        raise
    # Otherwise a power failure may bring the old file back, or none.
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_new(path: Path, content: bytes) -> None:
    # Always a new file: a FIFO there would block this for ever, and through a link another file would be overwritten.
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:  # a nearly full disk takes a part, and reports it only at the next call (write(2))
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
