"""The directories of jobs: one for each, its home, its place for temporary files, and gone after it."""

import asyncio
import contextlib
import itertools
import os
from pathlib import Path

from supervisor.process.threads import started_pool
from supervisor.process.trees import remove_tree


class JobDirectories:
    """Makes and removes directories below ``parent``.

    Removing is done by a thread: on a journalling file system it waits for the commit that is under way, which took
    2 ms a job on the loop (measured). Raises `StartRefusedError` when that thread can't be started.
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._numbers = itertools.count(1)
        self._remover = started_pool(1, "directories")

    def prepare(self) -> None:
        """Make the parent. Raises `OSError`."""
        self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def make(self, owner: int | None = None) -> str:
        """Make a directory that only ``owner`` can enter; this user, if none is given.

        Raises `OSError`; then there is none.
        """
        path = f"{self._parent}/{os.getpid()}-{next(self._numbers)}"
        os.mkdir(path, 0o700)
        if owner is not None:
            try:
                os.chown(path, owner, owner)
                # Others may pass through to their own, but not see what there is.
                os.chmod(self._parent, 0o711)  # noqa: S103
            except OSError:
                os.rmdir(path)
                raise
        return path

    def take_back(self, path: str) -> None:
        """Close a directory to the user that it was given to, who may run another job before it is removed."""
        with contextlib.suppress(OSError):
            os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)

    async def remove(self, path: str) -> None:
        """Remove a job's directory. Waits only if there is something in it, so that its space is free again."""
        removing = self._remover.submit(remove_tree, path)
        if not _is_empty(path):
            await asyncio.wrap_future(removing)

    def close(self) -> None:
        """Remove what waits to be removed."""
        self._remover.shutdown(wait=True)


def _is_empty(path: str) -> bool:
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except OSError:  # gone already
        return True
