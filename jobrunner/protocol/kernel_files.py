"""Files of /proc, /sys and cgroups, which the kernel makes up when they are read. Light on imports: the keeper uses it.

By bare calls. Python's own files ask for a size, a position and a terminal first: five calls more for each file, which
tell nothing here, and each lets another thread take the interpreter in between.
"""

import os
from collections.abc import Generator
from typing import Final

CGROUP_PROCESSES: Final = "cgroup.procs"
"""The file of a cgroup that lists its processes, and moves the one whose number is written to it."""

_READ_BYTES: Final = 8192


def read(path: str | os.PathLike[str]) -> bytes:
    """Return what is in the file now. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(descriptor, _READ_BYTES)
        # A long list comes in parts, and a short part is no sign of the last one.
        while part := os.read(descriptor, _READ_BYTES):
            content += part
        return content
    finally:
        os.close(descriptor)


def parts(path: str | os.PathLike[str]) -> Generator[bytes, None, None]:
    """Yield what is in the file now, piece by piece, for who may have enough before its end. Raises `OSError`.

    Close it where it isn't read to the end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while part := os.read(descriptor, _READ_BYTES):
            yield part
    finally:
        os.close(descriptor)


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write in one call, as the kernel wants it. Raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
