"""Files that exist in memory alone, which a process has open: memfds, and what it writes in /dev/shm."""

import contextlib
import os
import random
import stat
from collections.abc import Collection
from typing import Final

from jobrunner.protocol import kernel_files

_MOST_LINKS: Final = 2000
_LEAST_LINKS: Final = 16
"""How many descriptors a look follows: of one job, some ten milliseconds' worth; of each process in any case.

Of more it follows others each time: what hides among many is found after some looks.
"""

_MEMFD: Final = "/memfd:"
_SHARED_DIRECTORY: Final = "/dev/shm/"  # noqa: S108  # nothing is made there
_BLOCK_BYTES: Final = 512
_KILOBYTE: Final = 1024

FileId = tuple[int, int]
"""Device and inode."""


def files_held(pid: int, processes: int = 1) -> dict[FileId, int]:
    """Return the files in memory that a process, one of `processes` of its job, has open, with their sizes there.

    None where it is another user's and may not be looked at. Raises `OSError`, such as for want of a descriptor.
    """
    directory = f"/proc/{pid}/fd"
    try:
        names = os.listdir(directory)
    except PermissionError:
        return {}
    most = max(_MOST_LINKS // processes, _LEAST_LINKS)
    held: dict[FileId, int] = {}
    for name in names if len(names) <= most else random.sample(names, most):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # closed meanwhile
            if found := _file_behind(f"{directory}/{name}"):
                held.update([found])
    return held


def _file_behind(link: str) -> tuple[FileId, int] | None:
    target = os.readlink(link)
    if not target.startswith((_MEMFD, _SHARED_DIRECTORY)):
        return None  # not even a look at it: it may be of a network that hangs
    # What is only read was there before, and is somebody else's.
    if not target.startswith(_MEMFD) and not os.lstat(link).st_mode & stat.S_IWUSR:
        return None
    status = os.stat(link)
    if not stat.S_ISREG(status.st_mode):
        return None
    return (status.st_dev, status.st_ino), status.st_blocks * _BLOCK_BYTES


def mapped_of(pid: int, files: Collection[FileId]) -> tuple[int, int]:
    """Return how many bytes of `files` only this process has mapped, and its share of all that is mapped of them.

    Raises `OSError`.
    """
    private = share = 0
    counts = False
    for line in kernel_files.read(f"/proc/{pid}/smaps").decode(errors="replace").splitlines():
        name, *rest = line.split(maxsplit=5)
        if not name.endswith(":"):  # a mapping: addresses, rights, offset, device, inode, path
            counts = (_device(rest[2]), int(rest[3])) in files
        elif counts and name == "Pss:":
            share += int(rest[0]) * _KILOBYTE
        elif counts and name in ("Private_Clean:", "Private_Dirty:"):
            private += int(rest[0]) * _KILOBYTE
    return private, share


def _device(text: str) -> int:
    major, _, minor = text.partition(":")
    return os.makedev(int(major, 16), int(minor, 16))
