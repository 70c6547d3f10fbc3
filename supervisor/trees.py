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

    `shutil.rmtree` descends by recursion, and a block that makes a thousand directories in one another is enough to
    end it with an error. Then what is deep is moved up, and it is tried again.
    """
    for _ in range(_MOST_ROUNDS):
        try:
            shutil.rmtree(path, ignore_errors=True)
        except RecursionError:
            if not _move_up(os.fspath(path)):
                return
        else:
            return


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
