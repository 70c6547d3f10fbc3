"""What belongs to the process of a test program: orphans come to it, and a small disk that is its own."""

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from jobrunner.protocol import linux
from supervisor.keeper import kill_all_children
from tests.faults.programs import children_of, name_of

# <sched.h> and <sys/mount.h>; Python has `os.unshare` from 3.12 on, and never had mount(2).
_CLONE_NEWNS: Final = 0x00020000
_MS_PRIVATE_RECURSIVE: Final = (1 << 18) | (1 << 14)
_libc: Final = ctypes.CDLL(None, use_errno=True)

LEAST_BYTES: Final = 4096


@contextmanager
def alone() -> Iterator[None]:
    """Be the one that orphans come to, end with the parent, and leave no process behind, whatever happens."""
    linux.die_with_parent(signal.SIGTERM)
    linux.become_subreaper()
    try:
        yield
    finally:
        kill_all_children(5)


def left_processes() -> list[str]:
    """Return the living and the dead children of this process, as `pid name`. Those that are zombies are reaped."""
    found = []
    for pid in children_of(os.getpid()):
        try:
            reaped, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue
        if not reaped:
            found.append(f"{pid} {name_of(pid)}")
    return found


def still_left(seconds: float = 15.0) -> list[str]:
    """Return what is left of them after some time: one that was killed a moment ago needs a processor to die."""
    end = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() > end
        if not (left := left_processes()) or is_last:
            return left
        time.sleep(0.02)


class SmallDisk:
    """A tmpfs of its own below `path`, seen by this process and what it starts only: the kernel unmounts it."""

    def __init__(self, path: Path, megabytes: int) -> None:
        """Mount it. Raises `OSError` where that is not allowed (it needs CAP_SYS_ADMIN)."""
        self.path = path
        path.mkdir()
        if _libc.unshare(_CLONE_NEWNS) != 0:
            raise _last_error("a mount namespace")
        if _libc.mount(b"none", b"/", None, _MS_PRIVATE_RECURSIVE, None) != 0:
            raise _last_error("private mounts")
        options = f"size={megabytes}m,mode=0700".encode()
        if _libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, options) != 0:
            raise _last_error("a tmpfs")
        self._filler = path / "filler"

    def fill(self) -> None:
        """Take every byte."""
        descriptor = os.open(self._filler, os.O_WRONLY | os.O_CREAT, 0o600)
        size = 1 << 20
        try:
            while size >= LEAST_BYTES:
                try:
                    os.write(descriptor, bytes(size))
                except OSError:
                    size //= 2
        finally:
            os.close(descriptor)

    def free(self) -> None:
        """Give it back."""
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Unmount at once, so that the directory below can be removed."""
        _libc.umount2(os.fsencode(self.path), 2)  # MNT_DETACH


def _last_error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
