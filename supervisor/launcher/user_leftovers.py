"""Removing what a job user left outside of its job's directory: files in shared directories, System V IPC."""

import contextlib
import ctypes
import os
import stat
import subprocess
import sys
import time
from collections.abc import Collection, Iterable
from typing import Final

from supervisor.launcher.shared_directories import USUAL
from supervisor.process.shortage import is_shortage
from supervisor.process.trees import remove_tree

_MOST_REMOVED: Final = 100_000
"""How many files one call removes from one directory, a second or two's worth: then others have their turn."""

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
    """More entries than one call looks at, or removes."""


def remove_leftovers(users: Collection[int], directories: Iterable[str] = USUAL) -> list[str]:
    """Remove what `users`, of which nothing is alive, have left. Returns what is still there.

    In each directory what lies at the top, with all below it, and the same in what others have opened to everyone
    there: a user with nothing but its own directory can make nothing elsewhere. Of very many files a part is left:
    call it again. Raises `OSError` when the machine has no descriptor or memory left to look with.
    """
    left: list[str] = []
    for directory in directories:
        owned: list[str] = []
        try:
            _find(directory, users, owned)
        except _TooManyError:
            left.append(f"more in {directory}")
        for number, path in enumerate(owned, 1):
            _let_others_run(number)
            if not _remove(path):
                left.append(path)
    return left + _remove_ipc(users)


def _find(top: str, users: Collection[int], owned: list[str]) -> None:
    waiting, seen = [top], 0
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    seen += 1
                    _let_others_run(seen)
                    if seen > _MOST_SEEN or len(owned) >= _MOST_REMOVED:
                        raise _TooManyError
                    with contextlib.suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        if status.st_uid in users:
                            owned.append(entry.path)
                        elif stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_IWOTH:
                            waiting.append(entry.path)
        except OSError as error:
            if is_shortage(error):
                raise  # what is there must not be left to the next job


def _let_others_run(number: int) -> None:
    """Pause now and then. A thread of short system calls leaves the interpreter to no other for long enough.

    Measured: while 100,000 files were removed without it, the heartbeat was 0.25 s late.
    """
    if number % _AT_A_TIME == 0:
        time.sleep(_PAUSE_SECONDS)


def _remove(path: str) -> bool:
    with contextlib.suppress(OSError):
        os.unlink(path)  # a link goes itself, not what it leads to
    if os.path.lexists(path):
        remove_tree(path)
    return not os.path.lexists(path)


def _remove_ipc(users: Collection[int]) -> list[str]:
    """Remove segments, semaphores and queues. Returns what is still there."""
    for kind, number, _ in _ipc_of(users):
        if kind == "sem":
            _libc.semctl(number, 0, _IPC_RMID)
        else:
            getattr(_libc, f"{kind}ctl")(number, _IPC_RMID, None)
    # Without CAP_SYS_ADMIN only their owner may.
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
    """Return kind, number and owner of what is there."""
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
