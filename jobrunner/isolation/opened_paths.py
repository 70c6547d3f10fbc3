"""Opens the paths of rules, once for all children of a template: a rule takes a descriptor, and to open costs time."""

import contextlib
import errno
import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from jobrunner.isolation.errors import IsolationError
from jobrunner.isolation.landlock import (
    READ_FILE,
    LandlockError,
    add_rules,
    create_ruleset,
    rights_to,
    rule_beneath,
)
from jobrunner.isolation.rules import Access, Rule

_OPENED_HERE: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
"""Only for rules. It never opens the target of a symbolic link, which may be a closed path. A rule for a link itself
does nothing."""

_SHORTAGES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Things that this process or the machine lacks for a moment. Any other error, such as a failed mount, leaves the path
without a rule: it is closed to the job, but the job can run."""

_NOT_LISTED: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ESTALE, errno.EPERM}
)
"""The directory does not exist any more, or nobody with these rights can reach it: nothing in it needs a rule."""


@dataclass(frozen=True, slots=True)
class OpenedPath:
    """The file or directory of a rule, in the form that the kernel needs."""

    path: str
    descriptor: int
    access: Access
    is_directory: bool


class OpenedPaths:
    """The paths of some rules. They stay the same files and directories, even if their names change.

    `rights` are all rights that are given up unless a rule allows them. This class makes the kernel's rule for each
    path: a template does that once, and each of its children passes on a hundred of them.
    """

    def __init__(self, opened: Sequence[OpenedPath], rights: int) -> None:
        self._opened = opened
        self._rights = rights
        allowed = _allowed(rights)
        self._told = [
            (one.path, rule_beneath(one.descriptor, allowed[one.access, one.is_directory])) for one in opened
        ]

    @classmethod
    def of(cls, rules: Iterable[Rule], rights: int) -> Self:
        """Open them. Raises `IsolationError` if this process has no descriptor or memory left; then none is open."""
        opened: list[OpenedPath] = []
        for rule in rules:
            try:
                path = _opened(rule)
            except OSError as error:
                cls(opened, rights).close()
                raise IsolationError(f"opening {rule.path}, which stays open", error) from error
            if path is not None:
                opened.append(path)
        return cls(opened, rights)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Go through the paths, each with its rule for the kernel."""
        return iter(self._told)

    @property
    def highest(self) -> int:
        """The highest descriptor among them, -1 if there is none."""
        return max((one.descriptor for one in self._opened), default=-1)

    def make_ruleset(self, scoped: int) -> int:
        """Return the descriptor of a new set of rules that allows the same. Raises `IsolationError`."""
        return _make_ruleset(self._told, self._rights, scoped)

    def close(self) -> None:
        """Close them. A set of rules that was made from them stays as it is."""
        for one in self._opened:
            os.close(one.descriptor)
        self._opened, self._told = (), []


def make_ruleset(rules: Iterable[Rule], rights: int, scoped: int) -> int:
    """Return the descriptor of a new set of rules, with one path open at a time. Raises `IsolationError`."""
    return _make_ruleset(_one_by_one(rules, rights), rights, scoped)


def _one_by_one(rules: Iterable[Rule], rights: int) -> Iterator[tuple[str, bytes]]:
    for rule in rules:
        one = OpenedPaths.of((rule,), rights)
        try:
            yield from one
        finally:
            one.close()


@functools.cache
def _allowed(rights: int) -> dict[tuple[Access, bool], int]:
    return {
        (access, is_directory): rights_to(allowed & rights, is_directory=is_directory)
        for access, allowed in ((Access.READ, READ_FILE), (Access.ALL, rights))
        for is_directory in (False, True)
    }


def _make_ruleset(told: Iterable[tuple[str, bytes]], rights: int, scoped: int) -> int:
    with contextlib.ExitStack() as undo:
        try:
            ruleset = create_ruleset(rights, scoped)
        except LandlockError as error:
            raise IsolationError("a set of rules", error) from error
        undo.callback(os.close, ruleset)
        for path, refused in add_rules(ruleset, told):
            if refused.errno != errno.EBADFD:  # a mounted namespace: it is always allowed
                raise IsolationError(f"a rule for {path}", refused) from refused
        undo.pop_all()
    return ruleset


def _opened(rule: Rule) -> OpenedPath | None:
    """Open the path of a rule, `None` if that is not possible.

    It asks only for the name, never for its kind: on a network file system without its server, that would wait.
    """
    for flags in (_OPENED_HERE | os.O_DIRECTORY, _OPENED_HERE):
        try:
            descriptor = os.open(rule.path, flags)
        except OSError as error:
            if error.errno in _SHORTAGES:
                raise
        else:
            return OpenedPath(rule.path, descriptor, rule.access, bool(flags & os.O_DIRECTORY))
    return None


def list_entries(directory: str) -> list[str]:
    """Return the names in a directory; none if this process may not list it: then everything in there is closed."""
    try:
        return os.listdir(directory)
    except OSError as error:
        if error.errno in _NOT_LISTED:
            return []
        raise IsolationError(f"listing {directory}, which is above a closed path", error) from error
