"""The parent of the jobs' directories. Somebody may remove it. It waits for the disk: use it in threads."""

import contextlib
import errno
import itertools
import os
import secrets
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

_TOKEN_BYTES: Final = 3


class DirectoryPlace:
    """Makes directories below the first of `candidates` that works. Only one thread may use it at a time.

    `on_lost` is called, in the thread, if somebody has removed the parent and it was made again: all directories below
    it are gone.
    """

    def __init__(self, candidates: Callable[[], Iterable[Path]], on_lost: Callable[[str], None]) -> None:
        self._candidates = candidates
        self._on_lost = on_lost
        self._parent: str | None = None
        self._identity: tuple[int, int] | None = None
        self._is_passable = False
        self._was_lost = False
        # Not only the pid: in a container every run has the same one.
        self._prefix = f"{os.getpid()}-{secrets.token_hex(_TOKEN_BYTES)}"
        self._numbers = itertools.count(1)

    def open(self) -> list[str]:
        """Make the parent if there is none. Returns what earlier runs have left in it. Raises `OSError`."""
        error: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        for candidate in self._candidates():
            try:
                self._identity = _make_private(candidate)
                self._parent = str(candidate)
                self._is_passable = False
                return [
                    f"{candidate}/{name}"
                    for name in os.listdir(candidate)
                    if not name.startswith(self._prefix)
                ]
            except OSError as refused:
                error = refused
        raise error

    def make(self, owner: int | None) -> str:
        """Make a directory that only `owner` can enter; this user, if none is given.

        Raises `OSError`; then there is none.
        """
        if self._parent is None:
            self.open()
        else:
            self.look()
        path = f"{self._parent}/{self._prefix}-{next(self._numbers)}"
        os.mkdir(path, 0o700)
        if owner is not None:
            try:
                os.chown(path, owner, owner)
                self._let_others_pass()
            except OSError:
                os.rmdir(path)
                raise
        return path

    def look(self) -> None:
        """Make the parent again if it was removed. Raises `OSError`."""
        if self._parent is None:
            return
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            status = os.stat(self._parent)
            if (status.st_dev, status.st_ino) == self._identity:
                return
        self._was_lost = True
        self.open()
        self._on_lost(self._parent)

    def remove_if_empty(self) -> None:
        """Remove the parent, unless it has entries."""
        if self._parent is not None:
            with contextlib.suppress(OSError):
                os.rmdir(self._parent)
            self._parent = None

    def _let_others_pass(self) -> None:
        """Let other users pass through to their own directories, but not list the others."""
        if self._is_passable or self._parent is None:
            return
        os.chmod(self._parent, 0o711)  # noqa: S103
        if self._was_lost:  # and the directory above too, which others could pass
            os.chmod(os.path.dirname(self._parent), 0o711)  # noqa: S103
        self._is_passable = True


def _make_private(path: Path) -> tuple[int, int]:
    """Make a private directory of this user, and the one above it. Returns its identity. Raises `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = os.lstat(path)
    # In a place that is open to everyone, somebody else may have made it first.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise FileExistsError(errno.EEXIST, "there is something of another user's", str(path))
    return status.st_dev, status.st_ino
