"""Noticing that an author has saved: by looking, since what editors do to a file (write, rename, touch) differs."""

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from supervisor.worker.code_places import top_of_package

LOOK_SECONDS: Final = 0.25
QUIET_SECONDS: Final = 0.2
"""An editor, or a `git checkout`, may write many files: one reload for all of them."""

_LONGEST_UNREST_SECONDS: Final = 3.0
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages"})

Snapshot = Mapping[str, tuple[int, int, int]]
"""Path to time of the last change, size and number of the file."""


def watched_directories(sources: Iterable[str]) -> list[Path]:
    """Return the directories in which the code of these sources is: directories of blocks, and those of single files.

    A directory that is part of a package is watched from the package's top, from where its modules may import.
    """
    found: dict[Path, None] = {}
    for source in sources:
        path = Path(source).expanduser().resolve()
        directory = path if path.is_dir() else path.parent
        top = top_of_package(str(directory))
        found[directory if top is None else Path(top).parent] = None
    return list(found)


def snapshot(directories: Iterable[Path]) -> Snapshot:
    """Return the state of all Python files below `directories`, hidden directories apart."""
    found: dict[str, tuple[int, int, int]] = {}
    for file in _python_files([os.fspath(directory) for directory in directories]):
        try:
            status = file.stat()
        except OSError:  # gone since it was listed, or a link that leads nowhere
            continue
        found[file.path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def _python_files(todo: list[str]) -> Iterator[os.DirEntry[str]]:
    while todo:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _SKIPPED:
                continue
            # A link to a directory above would lead round in circles.
            if entry.is_dir(follow_symlinks=False):
                todo.append(entry.path)
            elif entry.name.endswith(".py"):
                yield entry


def changed_files(before: Snapshot, after: Snapshot) -> list[str]:
    """Return the files that came, went or changed, in order."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def what_changed(files: Sequence[str]) -> str:
    """Say of files that have changed which were saved, and which are gone."""
    gone = [file for file in files if not Path(file).exists()]
    there = [file for file in files if file not in gone]
    return ". ".join(f"{word}: {_names(of)}" for word, of in (("Saved", there), ("Deleted", gone)) if of)


def _names(files: Sequence[str]) -> str:
    return ", ".join(Path(file).name for file in files[:3]) + (", …" if len(files) > 3 else "")


class Watcher:
    """Waits for changes. What is there when it is created is the beginning."""

    def __init__(self, directories: Iterable[Path]) -> None:
        self._directories = list(directories)
        self._known = snapshot(self._directories)

    async def next_change(self) -> list[str]:
        """Wait until files have changed and are left in peace for a moment; return which."""
        before = self._known
        while (after := await self._look()) == before:  # noqa: ASYNC110  # files have no event to wait for
            await asyncio.sleep(LOOK_SECONDS)
        for _ in range(int(_LONGEST_UNREST_SECONDS / QUIET_SECONDS)):
            await asyncio.sleep(QUIET_SECONDS)
            latest, after = after, await self._look()
            if latest == after:
                break
        self._known = after
        return changed_files(before, after)

    async def _look(self) -> Snapshot:
        return await asyncio.to_thread(snapshot, self._directories)
