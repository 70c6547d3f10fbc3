"""The paths that stay open. They are found and opened once for all children of a template, and again if they change."""

import errno
import os
import resource
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from jobrunner.isolation.call_filter import filter_of_nobody
from jobrunner.isolation.errors import IsolationError
from jobrunner.isolation.landlock import file_rights, scopes
from jobrunner.isolation.mounts import Mount, mounts_of, other_places, waits_to_be_mounted
from jobrunner.isolation.opened_paths import OpenedPaths, list_entries, make_ruleset
from jobrunner.isolation.rules import Rule, rules_for
from jobrunner.protocol.isolation import FileRules, Isolation, is_at_or_below

_LEFT_FOR_A_CHILD: Final = 50
"""For its set of rules, channel, pipes, and what it opens before all descriptors of the template are closed."""

_SAME_TIME_NS: Final = 50_000_000
"""More than a tick of the kernel's clock. Before Linux 6.13 this clock gives files their times, so two changes in one
tick have the same time."""
_UNSETTLED: Final = -1
"""A time that no directory has."""


class Listing:
    """Lists directories, and can tell later whether one of them has changed: a new file there has no rule."""

    def __init__(self) -> None:
        self._changed_at: dict[str, int] = {}
        self.waiting: list[str] = []
        """Paths that were left out, because there is nothing before somebody asks for it."""

    def list_entries(self, directory: str) -> Iterable[str]:
        """See `opened_paths.list_entries`."""
        # Read first: then an entry that comes during the listing counts as a change.
        self._changed_at[directory] = _settled(_changed_at(directory))
        return list_entries(directory)

    def leave_out_waiting(self, rules: Sequence[Rule], mounts: Sequence[Mount]) -> list[Rule]:
        """Return the rules without those for paths that wait to be mounted.

        A rule for the place itself would allow nothing of what is mounted over it later. And to open it waits for a
        server that may be away.
        """
        waiting = {rule.path for rule in rules if waits_to_be_mounted(rule.path, mounts)}
        self.waiting = sorted(waiting)
        return [rule for rule in rules if rule.path not in waiting]

    def is_current(self) -> bool:
        """Return whether each directory has the same entries as before: about a microsecond for each.

        Also return whether the paths that were left out, if any, still wait.
        """
        return (
            all(_changed_at(directory) == then for directory, then in self._changed_at.items())
            and self._all_wait()
        )

    def _all_wait(self) -> bool:
        if not self.waiting:
            return True
        try:
            mounts = _mounts()
        except IsolationError:
            return True  # what has come since then stays closed
        return all(waits_to_be_mounted(path, mounts) for path in self.waiting)


class SharedPaths:
    """Belongs to the template. Its forks make their sets of rules from it."""

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        if isolation.seccomp:
            filter_of_nobody()
        self._opened: OpenedPaths | None = None
        self._listing = Listing()
        self._problem: IsolationError | None = None
        self._rules: list[Rule] | None = None
        """The rules, if not all of their paths could be opened."""

    def open(self) -> None:
        """Open them, unless they are open and complete. A child reports errors (`make_ruleset`), unless there are older
        paths: these only close more.

        Call it again before each fork: the machine may then have what it lacked, and a file may have been replaced
        (for example `/etc/resolv.conf`): the new one is another file, and has no rule.
        """
        if not self.isolation.landlock_abi or (self._opened is not None and self._listing.is_current()):
            return
        listing = Listing()
        try:
            rules = _rules(self.isolation.files, listing)
            if self._opened is None:
                self._rules = rules
            opened = _leaving_some(OpenedPaths.of(rules, file_rights(self.isolation.landlock_abi)))
        except IsolationError as error:
            self._problem = error
            return
        if self._opened is not None:
            self._opened.close()
        self._opened, self._listing, self._problem = opened, listing, None

    @property
    def waiting(self) -> list[str]:
        """The paths that were not opened, because there is nothing before somebody asks for it (see `automounts`)."""
        return self._listing.waiting

    def is_current(self) -> bool:
        """Return whether they are still complete."""
        return self._listing.is_current()

    def make_ruleset(self) -> int:
        """Return the descriptor of a new set of rules, which lacks the job's own directory. Raises `IsolationError`.

        If not all paths can be open at once (a low limit of open files), they are opened one after the other.
        """
        abi = self.isolation.landlock_abi
        if self._opened is not None:
            return self._opened.make_ruleset(scopes(abi))
        if self._rules is not None:
            return make_ruleset(self._rules, file_rights(abi), scopes(abi))
        assert self._problem is not None
        raise self._problem


def _leaving_some(opened: OpenedPaths) -> OpenedPaths:
    """Return them if a child of this process still gets the descriptors that it needs itself.

    Raises `IsolationError` if it does not; then none is open.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if opened.highest < most - _LEFT_FOR_A_CHILD:
        return opened
    opened.close()
    error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    raise IsolationError("opening all paths that stay open", error) from error


def ruleset_of(files: FileRules, abi: int) -> int:
    """Return the descriptor of a new set of rules, for a process that shares its paths with no other.

    Raises `IsolationError`.
    """
    return make_ruleset(_rules(files, Listing()), file_rights(abi), scopes(abi))


def _rules(files: FileRules, listing: Listing) -> list[Rule]:
    mounts = _mounts()
    rules = rules_for(with_other_places(with_ends_of_links(files), mounts), listing.list_entries)
    return listing.leave_out_waiting(rules, mounts)


def _mounts() -> list[Mount]:
    try:
        with open("/proc/self/mountinfo", errors="surrogateescape", newline="\n") as file:
            return mounts_of(file.read())
    except OSError as error:
        raise IsolationError("reading /proc/self/mountinfo", error) from error


def with_other_places(files: FileRules, mounts: Sequence[Mount]) -> FileRules:
    """Return rules that are also true where the same files are mounted a second time."""
    closed = (*files.closed, *_others(files.closed, mounts))
    shut = closed if files.jobs_directory is None else (*closed, files.jobs_directory)
    read_only = [path for path in _others(files.read_only, mounts) if not _is_below(path, shut)]
    return replace(files, closed=_once(closed), read_only=_once((*files.read_only, *read_only)))


def _others(paths: Iterable[str], mounts: Sequence[Mount]) -> list[str]:
    return [other for path in paths for other in other_places(path, mounts) if other != "/"]


def with_ends_of_links(files: FileRules) -> FileRules:
    """Return rules in which the present target of a symbolic link is marked like the link.

    The link itself needs no rule: the kernel follows it to a target with or without a rule. Its directory is listed, so
    that a new target is noticed (a secret that Kubernetes renews). But a link never opens a closed path: a job may be
    able to change a link that leads to another link.
    """
    closed = (*files.closed, *map(os.path.realpath, files.closed))
    shut = closed if files.jobs_directory is None else (*closed, files.jobs_directory)
    ends = (path for path in map(os.path.realpath, files.read_only) if not _is_below(path, shut))
    return replace(files, closed=_once(closed), read_only=_once((*files.read_only, *ends)))


def _is_below(path: str, others: Iterable[str]) -> bool:
    return any(is_at_or_below(path, other) for other in others)


def _once(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(paths))


def _changed_at(directory: str) -> int:
    try:
        return os.stat(directory).st_mtime_ns
    except OSError:
        return 0


def _settled(changed_at: int) -> int:
    """Return the time of a change for a later comparison: never a time that another change may have as well."""
    return _UNSETTLED if abs(time.time_ns() - changed_at) < _SAME_TIME_NS else changed_at
