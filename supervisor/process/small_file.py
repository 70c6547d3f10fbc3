"""Files of a few bytes that say who this worker is: read without trusting what lies there, replaced in one step."""

import os
import stat
from pathlib import Path
from typing import Final

_MOST_BYTES: Final = 64 * 1024


def read_small_file(path: Path) -> bytes:
    """Return the first 64 KB of a file. Raises `OSError`, also for what is no ordinary file.

    A FIFO in the file's place would hold up whoever opens it until somebody writes to it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is no ordinary file")
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file, for its owner's eyes only: whole after a power failure, the old one or the new one.

    What lies in its place, a link or a FIFO, is replaced too, and never written to. Blocks until it is on the disk.
    Raises `OSError`, and then the old file stays.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    # Made anew: a FIFO there would hold this up without end, and a link would have another file overwritten.
    descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(new, path)
    # Else a power failure may bring the old file back, or none.
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
