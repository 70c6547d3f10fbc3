"""Files in memory that a process has open: memfds, and files that it writes in /dev/shm."""

import contextlib
import os
import random
import stat
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol import kernel_files

_MOST_LINKS: Final = 2000
_LEAST_LINKS: Final = 16
"""How many descriptors a look follows: for one job about ten milliseconds' worth, but at least so many per process.

If there are more, it follows others each time: a file that hides among many is found after some looks.
"""

_MEMFD: Final = "/memfd:"
_SHARED_DIRECTORY: Final = "/dev/shm/"  # noqa: S108  # nothing is made there
_BLOCK_BYTES: Final = 512
_KILOBYTE: Final = 1024
_HEXADECIMAL: Final = b"0123456789abcdef"

FileId = tuple[int, int]
"""Device and inode."""


@dataclass(slots=True)
class Budget:
    """What a look at one job may still cost. A job decides how long its maps are, and other jobs are waiting.

    `maps_bytes`: how much of the full maps is read. `end`: when to stop, in `time.monotonic()` seconds.
    """

    maps_bytes: int
    end: float

    @property
    def late(self) -> bool:
        """Whether it is too late to look at a further process."""
        return time.monotonic() > self.end

    @property
    def spent(self) -> bool:
        """Whether no more maps may be read."""
        return self.maps_bytes <= 0 or self.late


def files_held(pid: int, processes: int = 1) -> dict[FileId, int]:
    """Return the files in memory that a process has open, with their sizes. Its job has `processes` processes.

    Empty if it is another user's and can't be read. Raises `OSError`, for example if no descriptor is left.
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
        return None  # without looking at it: it may be on a network that hangs
    # A file that is open only for reading existed before, and belongs to somebody else.
    if not target.startswith(_MEMFD) and not os.lstat(link).st_mode & stat.S_IWUSR:
        return None
    status = os.stat(link)
    if not stat.S_ISREG(status.st_mode):
        return None
    return (status.st_dev, status.st_ino), status.st_blocks * _BLOCK_BYTES


def mapped_of(pid: int, files: Collection[FileId], budget: Budget) -> tuple[int, int] | None:
    """Return how many bytes of `files` only this process has mapped, and its share of all that is mapped of them.

    `None` if the budget is spent before the end of its maps. Raises `OSError`.
    """
    private = share = 0
    counts = False
    rest = b""
    with contextlib.closing(kernel_files.parts(f"/proc/{pid}/smaps")) as parts:
        for part in parts:
            if budget.spent:
                return None
            budget.maps_bytes -= len(part)
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line[:1] in _HEXADECIMAL:  # a mapping: addresses, rights, offset, device, inode, path
                    _, _, _, device, inode, *_ = line.split(maxsplit=5)
                    counts = (_device(device.decode()), int(inode)) in files
                elif counts and line.startswith(b"Pss:"):
                    share += _bytes_in(line)
                elif counts and line.startswith((b"Private_Clean:", b"Private_Dirty:")):
                    private += _bytes_in(line)
    return private, share


def _bytes_in(line: bytes) -> int:
    """Read a line such as `Pss:    6668 kB`."""
    return int(line.split()[1]) * _KILOBYTE


def _device(text: str) -> int:
    major, _, minor = text.partition(":")
    return os.makedev(int(major, 16), int(minor, 16))
