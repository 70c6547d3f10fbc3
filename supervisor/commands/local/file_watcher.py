"""Notices that an author has saved a file. It looks again and again, because editors save in different ways."""

import ast
import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from supervisor.commands.shared.imported_names import imported_names
from supervisor.worker.code_places import top_of_package

LOOK_SECONDS: Final = 0.25
REST_PER_LOOK: Final = 4.0
"""After a look, the rest takes so many times as long as the look: one at very many files takes a second or more."""

QUIET_SECONDS: Final = 0.2
"""An editor, or a `git checkout`, may write many files: one reload for all of them."""

_LONGEST_UNREST_SECONDS: Final = 3.0
_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages"})

State = tuple[int, int, int]
Snapshot = Mapping[str, State]
"""Path to time of the last change, size and number of the file."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What to watch: everything below `directories`; in `beside_files` only the modules, and the folders they import.

    `beside_files` are the directories of single files. Such a file may lie in a home, among many other files.
    """

    directories: tuple[Path, ...]
    beside_files: tuple[Path, ...] = ()

    @classmethod
    def of(cls, sources: Iterable[str]) -> Self:
        """Return what to watch for these sources: directories of blocks, and single files.

        A part of a package is watched from the package's top, because its modules may import from there.
        """
        directories: dict[Path, None] = {}
        beside_files: dict[Path, None] = {}
        for source in sources:
            path = Path(source).resolve()
            directory = path if path.is_dir() else path.parent
            top = top_of_package(str(directory))
            if top is not None:
                directories[Path(top).parent] = None
            else:
                (directories if directory == path else beside_files)[directory] = None
        return cls(tuple(directories), tuple(each for each in beside_files if each not in directories))

    def look(self) -> Snapshot:
        """Return the state of all these Python files, without hidden directories."""
        found = snapshot(self.directories)
        for directory in self.beside_files:
            modules = _state_of(entry for entry in _entries(directory) if _is_module(entry))
            names = {name for path, state in modules.items() for name in _imported_by(path, state)}
            folders = [directory / name for name in names - _SKIPPED]
            found |= modules | snapshot(folder for folder in folders if folder.is_dir())
        return found


@lru_cache(maxsize=1000)
def _imported_by(path: str, _state: State) -> frozenset[str]:
    """Return the first names of what a module imports. The cache holds while its file has this state."""
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return frozenset()
    return frozenset(name for node in ast.walk(tree) for name in imported_names(node, relative=True))


def snapshot(directories: Iterable[Path]) -> dict[str, State]:
    """Return the state of all Python files below `directories`, without hidden directories."""
    return _state_of(_python_files(list(directories)))


def _state_of(files: Iterable[os.DirEntry[str]]) -> dict[str, State]:
    found: dict[str, State] = {}
    for file in files:
        try:
            status = file.stat()
        except OSError:  # removed meanwhile, or a link to nothing
            continue
        found[file.path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def _python_files(todo: list[Path | str]) -> Iterator[os.DirEntry[str]]:
    while todo:
        for entry in _entries(todo.pop()):
            if entry.name.startswith(".") or entry.name in _SKIPPED:
                continue
            # A link to a directory above would never end.
            if entry.is_dir(follow_symlinks=False):
                todo.append(entry.path)
            elif _is_module(entry):
                yield entry


def _entries(directory: Path | str) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(os.fspath(directory)))
    except OSError:
        return []


def _is_module(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".py") and not entry.name.startswith(".")


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

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._known = watched.look()

    async def next_change(self) -> list[str]:
        """Wait until files have changed and are left in peace for a moment; return which."""
        before = self._known
        began = time.monotonic()
        while (after := await self._look()) == before:
            await asyncio.sleep(max(LOOK_SECONDS, REST_PER_LOOK * (time.monotonic() - began)))
            began = time.monotonic()
        for _ in range(int(_LONGEST_UNREST_SECONDS / QUIET_SECONDS)):
            await asyncio.sleep(QUIET_SECONDS)
            latest, after = after, await self._look()
            if latest == after:
                break
        self._known = after
        return changed_files(before, after)

    async def _look(self) -> Snapshot:
        return await asyncio.to_thread(self._watched.look)
