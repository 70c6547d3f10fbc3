"""Small files that somebody else may have put there: read without trusting what lies there, replaced in one step."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from supervisor.errors import SupervisorError

_MOST_BYTES: Final = 64 * 1024


class NotAFileError(SupervisorError, OSError):
    """Something else lies where an ordinary file was expected. `mode` says what (inode(7))."""

    def __init__(self, path: str | os.PathLike[str], mode: int) -> None:
        super().__init__(f"{os.fspath(path)} is no ordinary file")
        self.mode = mode


@contextlib.contextmanager
def ordinary_file(path: str | os.PathLike[str], owner: int | None = None) -> Iterator[int]:
    """Open a file to read it, and give its descriptor. Raises `OSError`; `NotAFileError` for what is no ordinary file.

    `owner` is the number of the user whose it has to be, where that matters. Then no link is followed, either.

    A FIFO in the file's place would hold up whoever opens it until somebody writes to it (fifo(7)).
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
    """Return what a file begins with. Raises `OSError`, also for what is no ordinary file."""
    with ordinary_file(path) as descriptor:
        return os.read(descriptor, most_bytes)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file, for its owner's eyes only: whole after a power failure, the old one or the new one.

    What lies in its place, a link or a FIFO, is replaced too, and never written to. Blocks until it is on the disk.
    Raises `OSError`, and then the old file stays.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    try:
        _write_new(new, content)
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()  # half of it is of no use, and on a full disk it takes space from others
        raise
    # Else a power failure may bring the old file back, or none.
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_new(path: Path, content: bytes) -> None:
    # Made anew: a FIFO there would hold this up without end, and a link would have another file overwritten.
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:  # a disk that is nearly full takes a part, and says so only at the next call (write(2))
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
