"""Directories into which every user of this machine may write, so that a job's user can leave something there."""

import os
import stat
from collections import deque
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol import kernel_files
from jobrunner.protocol.mount_table import read_mount_table

USUAL: Final = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")  # noqa: S108  # where others put files
"""Looked into in any case, if they are there."""

MOST_LEVELS: Final = 5
"""How far below a mount point is searched."""

_MOST_DIRECTORIES: Final = 20_000
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs", "overlay", "devtmpfs", "mqueue", "zfs"})


@dataclass(frozen=True, slots=True)
class SharedDirectories:
    """What was found. `complete` is false where there are more directories than are searched."""

    paths: tuple[str, ...]
    complete: bool = True


def shared_directories() -> SharedDirectories:
    """Search every local file system, `MOST_LEVELS` deep. Not for the loop: reads up to 20,000 directories.

    Not on file systems of a network: they may hang. Not in directories that others may not enter.
    """
    usual = [path for path in USUAL if os.path.isdir(path)]
    found: dict[tuple[int, int], str] = {}
    for path in usual:
        status = os.stat(path)
        found[status.st_dev, status.st_ino] = os.path.realpath(path)
    left = _MOST_DIRECTORIES
    mounts = _mounts()
    for place, is_local in mounts.items():
        if is_local:
            left = _search(place, mounts, found, left)
    return SharedDirectories(tuple(sorted(set(found.values()))), left > 0)


def _search(top: str, mounts: Container[str], found: dict[tuple[int, int], str], left: int) -> int:
    """Add what is open to all below `top`, on its own file system, level by level. Returns how many are left."""
    waiting = deque([(top, 0)])
    while waiting and left > 0:
        path, level = waiting.popleft()
        # It has its own turn, or none. Not told by its device's number, as a subvolume of btrfs has one of its own; nor
        # by any other look at it, which would wait for a server that is gone.
        if path != top and path in mounts:
            continue
        try:
            status = os.lstat(path)
            if not stat.S_ISDIR(status.st_mode):
                continue
            if status.st_mode & stat.S_IWOTH:
                found.setdefault((status.st_dev, status.st_ino), path)
                continue  # what is below is searched whenever somebody is cleaned up after
            if level == MOST_LEVELS or not status.st_mode & stat.S_IXOTH:
                continue
            left -= 1
            with os.scandir(path) as entries:
                waiting.extend(
                    (entry.path, level + 1) for entry in entries if entry.is_dir(follow_symlinks=False)
                )
        except OSError:
            continue  # gone meanwhile, or closed to this process as well
    return left


def _mounts() -> Mapping[str, bool]:
    """Return where something is mounted, and whether that is of this machine and can be written to (mountinfo)."""
    kinds = _IN_MEMORY | _on_block_devices()
    table = kernel_files.read("/proc/self/mountinfo").decode(errors="surrogateescape")
    return {
        entry.place: entry.kind in kinds and "ro" not in entry.options for entry in read_mount_table(table)
    }


def _on_block_devices() -> frozenset[str]:
    lines = kernel_files.read("/proc/filesystems").decode().splitlines()
    return frozenset(line.strip() for line in lines if not line.startswith("nodev"))
