"""Directories into which every user of this machine may write, so that a job's user can leave something there."""

import os
import stat
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol import kernel_files

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
    for mount in _local_mounts():
        left = _search(mount, found, left)
    return SharedDirectories(tuple(sorted(set(found.values()))), left > 0)


def _search(top: str, found: dict[tuple[int, int], str], left: int) -> int:
    """Add what is open to all below `top`, on its own file system, level by level. Returns how many are left."""
    try:
        device = os.stat(top).st_dev
    except OSError:
        return left
    waiting = deque([(top, 0)])
    while waiting and left > 0:
        path, level = waiting.popleft()
        try:
            status = os.lstat(path)
            if status.st_dev != device or not stat.S_ISDIR(status.st_mode):
                continue  # a mount point, which has its own turn
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


def _local_mounts() -> Iterable[str]:
    """Return where file systems of this machine are mounted that can be written to (proc(5): mountinfo)."""
    kinds = _IN_MEMORY | _on_block_devices()
    mounts: dict[str, None] = {}
    for line in kernel_files.read("/proc/self/mountinfo").decode(errors="surrogateescape").splitlines():
        place, _, kind = line.partition(" - ")
        fields = place.split()
        if kind.split()[0] in kinds and "ro" not in fields[5].split(","):
            mounts[fields[4].encode(errors="surrogateescape").decode("unicode_escape")] = None
    return mounts


def _on_block_devices() -> frozenset[str]:
    lines = kernel_files.read("/proc/filesystems").decode().splitlines()
    return frozenset(line.strip() for line in lines if not line.startswith("nodev"))
