"""Removes what a job user left outside of its job's directory: files in shared directories, System V IPC."""

import contextlib
import ctypes
import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from supervisor.launcher.shared_directories import USUAL
from supervisor.process.shortage import is_shortage
from supervisor.process.trees import remove_tree

_MOST_REMOVED: Final = 100_000
"""How many files one call removes from one directory, about a second or two of work: then other work has its turn."""

_AT_A_TIME: Final = 32
_PAUSE_SECONDS: Final = 0.0005
_MOST_SEEN: Final = 1_000_000
_IPC_RMID: Final = 0
_REMOVE_BY_OWNER: Final = """
import ctypes, sys
libc, kind, number = ctypes.CDLL(None), sys.argv[1], int(sys.argv[2])
libc.semctl(number, 0, 0) if kind == "sem" else getattr(libc, kind + "ctl")(number, 0, None)
"""
_SECONDS_OF_OWNER: Final = 10.0

_libc = ctypes.CDLL(None, use_errno=True)


class _TooManyError(Exception):
    """There are more entries than one call looks at, or removes."""


@dataclass(slots=True)
class _Round:
    """One call's work in one directory that is open to everyone, and in directories below that others have opened."""

    users: Collection[int]
    left: list[str] = field(default_factory=list)
    seen: int = 0
    found: int = 0

    def clear(self, top: str) -> None:
        """Remove the users' files in `top`. Raises `_TooManyError`, and `OSError` if no descriptor is left."""
        waiting: list[tuple[str, tuple[int, int] | None]] = [(top, None)]
        while waiting:
            path, identity = waiting.pop()
            try:
                descriptor = _opened(path, identity)
            except OSError as error:
                if is_shortage(error):
                    raise  # the next job must not find these files
                continue
            try:
                owned, opened_to_all = self._look(descriptor)
                for name in owned:
                    self.found += 1
                    _let_others_run(self.found)
                    if not _remove(name, descriptor):
                        self.left.append(f"{path}/{name}")
            finally:
                os.close(descriptor)
            if self.found >= _MOST_REMOVED or self.seen > _MOST_SEEN:
                raise _TooManyError
            waiting.extend((f"{path}/{name}", place) for name, place in opened_to_all)

    def _look(self, directory: int) -> tuple[list[str], list[tuple[str, tuple[int, int]]]]:
        """Return the names of the users' entries here, and of directories here that others have opened to everyone."""
        owned: list[str] = []
        opened_to_all: list[tuple[str, tuple[int, int]]] = []
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    self.seen += 1
                    _let_others_run(self.seen)
                    if self.seen > _MOST_SEEN or self.found + len(owned) >= _MOST_REMOVED:
                        break
                    status = _status(entry.name, directory)
                    if status is None:
                        continue
                    if status.st_uid in self.users:
                        owned.append(entry.name)
                    elif _is_open_to_all(status):
                        opened_to_all.append((entry.name, (status.st_dev, status.st_ino)))
        except OSError as error:
            if is_shortage(error):
                raise
        return owned, opened_to_all


def remove_leftovers(users: Collection[int], directories: Iterable[str] = USUAL) -> list[str]:
    """Remove what `users`, who have no living process, have left. Returns what is still there.

    In each directory it removes their entries at the top, with all below them. It does the same in directories there
    that others have opened to everyone: such a user can make nothing elsewhere. If there are very many files, some
    stay: call it again. Raises `OSError` if the machine has no descriptor or memory left to look with.

    Another job may own such a directory, and put a link in its place meanwhile. So nothing is removed by its whole
    path: the directory is opened, and its entries are removed by its descriptor, wherever it is now.
    """
    left: list[str] = []
    for directory in directories:
        one = _Round(users)
        try:
            one.clear(directory)
        except _TooManyError:
            left.append(f"more in {directory}")
        left += one.left
    return left + _remove_ipc(users)


def _opened(path: str, identity: tuple[int, int] | None) -> int:
    """Return the descriptor of a directory. Raises `OSError`, also if another one was seen at this path."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    is_same = (status.st_dev, status.st_ino) == identity and _is_open_to_all(status)
    if is_same or identity is None:
        return descriptor
    os.close(descriptor)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _is_open_to_all(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_IWOTH)


def _status(name: str, directory: int) -> os.stat_result | None:
    """Return the status of an entry; `None` if it is gone, or if only its user may look at it.

    A file system in user space (FUSE) is like that, even for root. A job can't mount one.
    """
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        if is_shortage(error):
            raise
        return None


def _let_others_run(number: int) -> None:
    """Pause now and then. A thread with many short system calls does not release the interpreter long enough.

    Measured: while 100,000 files were removed without it, the heartbeat was 0.25 s late.
    """
    if number % _AT_A_TIME == 0:
        time.sleep(_PAUSE_SECONDS)


def _remove(name: str, directory: int) -> bool:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=directory)  # removes a link itself, not its target
    if _status(name, directory) is not None:
        remove_tree(name, directory)
    return _status(name, directory) is None


def _remove_ipc(users: Collection[int]) -> list[str]:
    """Remove segments, semaphores and queues. Returns what is still there."""
    for kind, number, _ in _ipc_of(users):
        if kind == "sem":
            _libc.semctl(number, 0, _IPC_RMID)
        else:
            getattr(_libc, f"{kind}ctl")(number, _IPC_RMID, None)
    # Without CAP_SYS_ADMIN only their owner may remove them.
    for kind, number, user in _ipc_of(users):
        with contextlib.suppress(subprocess.SubprocessError, PermissionError):
            subprocess.run(  # noqa: S603  # our own text, and numbers of the kernel
                [sys.executable, "-I", "-S", "-c", _REMOVE_BY_OWNER, kind, str(number)],
                user=user,
                group=user,
                extra_groups=[],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS_OF_OWNER,
                check=False,
            )
    return [f"System V {kind} {number}" for kind, number, _ in _ipc_of(users)]


def _ipc_of(users: Collection[int]) -> list[tuple[str, int, int]]:
    """Return kind, number and owner of each that exists."""
    found: list[tuple[str, int, int]] = []
    for kind, key in (("shm", "shmid"), ("sem", "semid"), ("msg", "msqid")):
        try:
            with open(f"/proc/sysvipc/{kind}") as file:
                names, *rows = (line.split() for line in file)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and is_shortage(error):
                raise
            continue  # a kernel without them
        for row in (dict(zip(names, each, strict=False)) for each in rows):
            owner = next((user for user in (int(row["uid"]), int(row["cuid"])) if user in users), None)
            if owner is not None:
                found.append((kind, int(row[key]), owner))
    return found
