"""Directories in which every user of this machine may write: a job's user can leave something there."""

import os
import stat
from collections import deque
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol import kernel_files
from jobrunner.protocol.mount_table import read_mount_table

USUAL: Final = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")  # noqa: S108  # where others put files
"""Always searched, if they exist."""

MOST_LEVELS: Final = 5
"""How deep it searches below a mount point."""

_MOST_DIRECTORIES: Final = 20_000
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs", "overlay", "devtmpfs", "mqueue", "zfs"})


@dataclass(frozen=True, slots=True)
class SharedDirectories:
    """The result. `complete` is false if there are more directories than it searches."""

    paths: tuple[str, ...]
    complete: bool = True


def shared_directories() -> SharedDirectories:
    """Search every local file system, `MOST_LEVELS` deep. Not for the loop: reads up to 20,000 directories.

    It skips network file systems, which may hang, and directories that other users may not enter.
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
    """Add the directories below `top` that are open to all, on its file system. Returns how many may still be read."""
    waiting = deque([(top, 0)])
    while waiting and left > 0:
        path, level = waiting.popleft()
        # A mount is searched by itself, or not at all. The device number does not show it: a btrfs subvolume has its
        # own. Any other look at the mount would wait for a server that is gone.
        if path != top and path in mounts:
            continue
        try:
            status = os.lstat(path)
            if not stat.S_ISDIR(status.st_mode):
                continue
            if status.st_mode & stat.S_IWOTH:
                found.setdefault((status.st_dev, status.st_ino), path)
                continue  # what is below is searched at each clean-up
            if level == MOST_LEVELS or not status.st_mode & stat.S_IXOTH:
                continue
            left -= 1
            with os.scandir(path) as entries:
                waiting.extend(
                    (entry.path, level + 1) for entry in entries if entry.is_dir(follow_symlinks=False)
                )
        except OSError:
            continue  # gone meanwhile, or this process may not read it
    return left


def _mounts() -> Mapping[str, bool]:
    """Return the mount points, and whether each is local and writable (mountinfo)."""
    kinds = _IN_MEMORY | _on_block_devices()
    table = kernel_files.read("/proc/self/mountinfo").decode(errors="surrogateescape")
    return {
        entry.place: entry.kind in kinds and "ro" not in entry.options for entry in read_mount_table(table)
    }


def _on_block_devices() -> frozenset[str]:
    lines = kernel_files.read("/proc/filesystems").decode().splitlines()
    return frozenset(line.strip() for line in lines if not line.startswith("nodev"))
