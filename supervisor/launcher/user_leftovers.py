"""Removing what a job user left outside of its job's directory: files in shared directories, System V IPC."""

import contextlib
import ctypes
import os
from collections.abc import Iterable
from typing import Final

from supervisor.process.shortage import is_shortage
from supervisor.process.trees import remove_tree

SHARED_DIRECTORIES: Final = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue")  # noqa: S108  # where others put files
_MOST_ENTRIES: Final = 100_000
_IPC_RMID: Final = 0

_libc = ctypes.CDLL(None, use_errno=True)


def remove_leftovers(user: int, directories: Iterable[str] = SHARED_DIRECTORIES) -> list[str]:
    """Remove what ``user``, of which nothing is alive, has left. Returns what is still there.

    In each directory only what lies at the top, with all below it: a user with nothing but its own directory can
    make nothing elsewhere, unless somebody has opened a place to everyone. Raises `OSError` when the machine has no
    descriptor or memory left to look with.
    """
    left = [path for directory in directories for path in _owned(directory, user) if not _remove(path)]
    _remove_ipc(user)
    return left


def _owned(directory: str, user: int) -> list[str]:
    found: list[str] = []
    try:
        with os.scandir(directory) as entries:
            for number, entry in enumerate(entries):
                if number == _MOST_ENTRIES:
                    break
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == user:
                        found.append(entry.path)
    except OSError as error:
        if is_shortage(error):
            raise  # what is there must not be left to the next job
    return found


def _remove(path: str) -> bool:
    with contextlib.suppress(OSError):
        os.unlink(path)  # a link goes itself, not what it leads to
    if os.path.lexists(path):
        remove_tree(path)
    return not os.path.lexists(path)


def _remove_ipc(user: int) -> None:
    # Needs CAP_SYS_ADMIN: without it they stay, as they do for everybody else on the machine.
    for number in _ipc_of("shm", "shmid", user):
        _libc.shmctl(number, _IPC_RMID, None)
    for number in _ipc_of("sem", "semid", user):
        _libc.semctl(number, 0, _IPC_RMID)
    for number in _ipc_of("msg", "msqid", user):
        _libc.msgctl(number, _IPC_RMID, None)


def _ipc_of(kind: str, key: str, user: int) -> list[int]:
    try:
        with open(f"/proc/sysvipc/{kind}") as file:
            names, *rows = (line.split() for line in file)
    except (OSError, ValueError):
        return []
    columns = [dict(zip(names, row, strict=False)) for row in rows]
    return [int(row[key]) for row in columns if str(user) in (row["uid"], row["cuid"])]
