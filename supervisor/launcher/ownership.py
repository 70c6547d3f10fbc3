"""Which job an inherited process belongs to. The process may have hidden well."""

import os
from collections.abc import Collection, Iterable

from jobrunner.protocol import kernel_files
from supervisor.launcher.process_groups import ProcessGroups
from supervisor.process.cgroups.cgroup import WITHOUT, Cgroup
from supervisor.process.proc import Stat, read_stat, user_of


class JobProcesses:
    """How the processes of one job are recognised, from its order until nothing of it is left."""

    def __init__(
        self, pid: int, groups: ProcessGroups, cgroup: Cgroup = WITHOUT, user: int | None = None
    ) -> None:
        self.groups = groups
        self.cgroup = cgroup
        self.user = user
        self._pid = pid
        self._session: int | None = None

    def remember_session(self) -> None:
        """Look up the session into which the child was born, while nobody else can have its number."""
        if self._session is None and (stat := read_stat(self._pid)) is not None:
            self._session = stat.session

    def has_session(self, session: int) -> bool:
        """Whether the child was born into this session. The child still exists, or it was asked for before."""
        self.remember_session()
        return self._session == session


def owner_of(pid: int, stat: Stat, jobs: Collection[JobProcesses]) -> JobProcesses | None:
    """Return the job in `jobs` to which the process `pid` belongs, `None` if nothing shows it.

    By its process group, if the kernel asks about groups: that is exact and no process can change it. Otherwise by
    other things that only this job has: a user, a cgroup, a session.
    """
    found = (
        _first(job for job in jobs if job.groups.has_group(stat.group))
        or _by_user(pid, jobs)
        or _first(job for job in jobs if pid in job.cgroup.processes())
        or _first(job for job in jobs if job.has_session(stat.session))
    )
    if found is not None:
        return found
    # A job whose groups are all known would have it in one of them. If only one other job is left, it is that one's.
    others = [job for job in jobs if not job.groups.complete]
    return others[0] if len(others) == 1 else None


def unannounced(pids: Iterable[int], jobs: Collection[JobProcesses], sessions: Collection[int]) -> set[int]:
    """Return those that may be unannounced children: they are in one of `sessions`, and in no group of a job."""
    if not sessions:
        return set()
    return {
        pid
        for pid in pids
        if (stat := read_stat(pid)) is not None
        and stat.session in sessions
        and not any(job.groups.has_group(stat.group) for job in jobs)
    }


def by_owner(pids: Iterable[int], jobs: Collection[JobProcesses]) -> dict[JobProcesses | None, set[int]]:
    """Sort children of this process, with dead ones, by the job they belong to. About 50 us for each of them.

    Raises `OSError` if one exists but can't be read, because no descriptor is left.
    """
    owned: dict[JobProcesses | None, set[int]] = {}
    for pid in pids:
        if (stat := read_stat(pid)) is not None:
            owned.setdefault(owner_of(pid, stat, jobs), set()).add(pid)
        elif os.path.exists(f"/proc/{pid}"):
            kernel_files.read(f"/proc/{pid}/stat")  # raises the same error, if it is still there
    return owned


def _by_user(pid: int, jobs: Collection[JobProcesses]) -> JobProcesses | None:
    if all(job.user is None for job in jobs):
        return None
    user = user_of(pid)
    return _first(job for job in jobs if job.user is not None and job.user == user)


def _first(jobs: Iterable[JobProcesses]) -> JobProcesses | None:
    return next(iter(jobs), None)
