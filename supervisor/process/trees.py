"""Removing what a job left in its directory, however deep it is."""

import contextlib
import itertools
import os
import shutil
from typing import Final

_DEEP_LEVELS: Final = 200
_MOST_ROUNDS: Final = 10_000
_numbers = itertools.count(1)


def remove_tree(path: str | os.PathLike[str]) -> None:
    """Remove a directory with all that is in it. Never raises; what can't be removed stays.

    A block may have put a link or a file in its place: then that is removed, and what a link leads to stays. It may
    have taken the right to enter a directory away, which `shutil.rmtree` does not give back.

    `shutil.rmtree` descends by recursion, and a block that makes a thousand directories in one another is enough to
    end it with an error. Then what is deep is moved up, and it is tried again.
    """
    with contextlib.suppress(OSError):
        os.unlink(path)
        return
    _remove_directory(os.fspath(path))
    if os.path.isdir(path):
        _unlock(os.fspath(path))
        _remove_directory(os.fspath(path))


def _remove_directory(path: str) -> None:
    for _ in range(_MOST_ROUNDS):
        try:
            shutil.rmtree(path, ignore_errors=True)
        except RecursionError:
            if not _move_up(path):
                return
        else:
            return


def _unlock(top: str) -> None:
    """Allow this user to enter every directory in ``top`` and to remove what is in it."""
    with contextlib.suppress(OSError, RecursionError):
        os.chmod(top, 0o700)
        # From the top down: each is unlocked before it is entered. Links are not followed.
        for directory, names, _ in os.walk(top):
            for name in names:
                inner = os.path.join(directory, name)
                if not os.path.islink(inner):
                    os.chmod(inner, 0o700)


def _move_up(top: str) -> bool:
    """Move directories from far below to ``top``. Returns whether there were any."""
    moved = 0
    with contextlib.suppress(OSError):
        top_descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for directory, names, _, descriptor in os.fwalk(top):
                if directory.count("/") - top.count("/") < _DEEP_LEVELS:
                    continue
                for name in names:
                    # Relative to descriptors: the whole path is longer than the kernel takes.
                    target = f"moved-{os.getpid()}-{next(_numbers)}"
                    os.rename(name, target, src_dir_fd=descriptor, dst_dir_fd=top_descriptor)
                    moved += 1
                names.clear()
        finally:
            os.close(top_descriptor)
    return moved > 0
