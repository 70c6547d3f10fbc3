"""Reads files of /proc, /sys and cgroups: the kernel makes them at each read. Few imports: the keeper uses it.

It uses bare system calls. Python's own files first ask for a size, a position and a terminal: five more calls for each
file, useless here, and in each another thread may take the interpreter.
"""

import os
from collections.abc import Generator
from typing import Final

CGROUP_PROCESSES: Final = "cgroup.procs"
"""The file of a cgroup that lists its processes. A process whose number is written to it is moved into the cgroup."""

_READ_BYTES: Final = 8192


def read(path: str | os.PathLike[str]) -> bytes:
    """Return the present content of the file. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(descriptor, _READ_BYTES)
        # A long list comes in parts, and a short part does not mean that it is the last one.
        while part := os.read(descriptor, _READ_BYTES):
            content += part
        return content
    finally:
        os.close(descriptor)


def parts(path: str | os.PathLike[str]) -> Generator[bytes, None, None]:
    """Yield the present content of the file in parts, for callers that may stop before its end. Raises `OSError`.

    Close it if you don't read to the end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while part := os.read(descriptor, _READ_BYTES):
            yield part
    finally:
        os.close(descriptor)


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write in one call, as the kernel requires. Raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
