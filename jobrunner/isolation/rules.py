"""Which rules keep some paths closed or read-only, and everything else unchanged. Pure: the caller lists directories.

A rule of Landlock can only allow, and what it allows is true for everything below. So a closed path has no rule, and
neither has a directory above one: instead, each other entry in these directories has its own rule. An entry that
appears there later has no rule, and is closed, too. In directories above a path that is only read-only, it can be read.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.isolation import FileRules


class Access(enum.IntEnum):
    """What is allowed. Each includes the one before."""

    NONE = 0
    READ = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """The access to `path`, and to everything below it."""

    path: str
    access: Access


ListEntries = Callable[[str], Iterable[str]]
"""Returns the names in a directory; none if it can't be listed."""

_ROOT: Final = "/"


def rules_for(files: FileRules, list_entries: ListEntries) -> list[Rule]:
    """Return rules that give each file the access of the nearest given path above it."""
    return list(_visit(_ROOT, Access.ALL, _Marks(files), list_entries))


def with_open_jobs_directory(files: FileRules) -> FileRules:
    """Return the rules for the time before the job's directory is known: all jobs' directories are open."""
    if files.jobs_directory is None:
        return files
    return FileRules(files.closed, files.read_only, (*files.writable, files.jobs_directory))


def only_jobs_directory(files: FileRules) -> FileRules:
    """Return what those rules lack."""
    return FileRules(jobs_directory=files.jobs_directory)


class _Marks:
    """The access of single paths, and the paths from the root to them."""

    def __init__(self, files: FileRules) -> None:
        said: dict[str, Access] = dict.fromkeys(files.read_only, Access.READ)
        said |= dict.fromkeys(files.writable, Access.ALL)
        said |= dict.fromkeys(files.closed, Access.NONE)
        if files.jobs_directory is not None:
            said[files.jobs_directory] = Access.NONE
        self._said = _without_repetitions(said)
        self._next_steps: dict[str, set[str]] = {}
        for path in self._said:
            while path != _ROOT:
                above = _above(path)
                self._next_steps.setdefault(above, set()).add(path)
                path = above

    def access_to(self, path: str, otherwise: Access) -> Access:
        return self._said.get(path, otherwise)

    def next_steps(self, path: str) -> set[str]:
        """Return the entries of the directory `path` that are marked, or that lead to something marked."""
        return self._next_steps.get(path, set())

    def least_below(self, path: str) -> Access:
        """Return the least access of anything below `path`."""
        beneath = path.rstrip(_ROOT) + _ROOT
        return min(
            (said for mark, said in self._said.items() if mark.startswith(beneath)), default=Access.ALL
        )


def _without_repetitions(said: Mapping[str, Access]) -> dict[str, Access]:
    """Leave out paths with the same access as the nearest one above."""

    def above(path: str) -> Access:
        while path != _ROOT:
            path = _above(path)
            if path in said:
                return said[path]
        return Access.ALL

    return {path: access for path, access in said.items() if access != above(path)}


def _visit(
    path: str, access: Access, marks: _Marks, list_entries: ListEntries, granted: Access = Access.NONE
) -> Iterator[Rule]:
    """Yield the rules for `path`, which has this `access`, and for all below. A rule above has `granted` as much."""
    access = marks.access_to(path, access)
    steps = marks.next_steps(path)
    # What is true for everything below needs no list. That may be so for reading, but not for writing.
    common = min(access, marks.least_below(path))
    if common > granted:
        yield Rule(path, common)
        granted = common
    if common < access:
        for name in list_entries(path):
            entry = f"{path.rstrip(_ROOT)}/{name}"
            if entry not in steps:
                yield Rule(entry, access)
    for step in sorted(steps):
        yield from _visit(step, access, marks, list_entries, granted)


def _above(path: str) -> str:
    return path.rpartition(_ROOT)[0] or _ROOT
