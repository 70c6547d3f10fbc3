"""Which job a process belongs to that this process has inherited, and that may have hidden well."""

import os
from collections.abc import Collection, Iterable

from jobrunner.protocol import kernel_files
from supervisor.launcher.process_groups import ProcessGroups
from supervisor.process.cgroups.cgroup import WITHOUT, Cgroup
from supervisor.process.proc import Stat, read_stat, user_of


class JobProcesses:
    """What the processes of one job are known by, from its order until nothing of it is left."""

    def __init__(
        self, pid: int, groups: ProcessGroups, cgroup: Cgroup = WITHOUT, user: int | None = None
    ) -> None:
        self.groups = groups
        self.cgroup = cgroup
        self.user = user
        self._pid = pid
        self._session: int | None = None

    def remember_session(self) -> None:
        """Look up the session that the child was born into, while nobody else can have its number."""
        if self._session is None and (stat := read_stat(self._pid)) is not None:
            self._session = stat.session

    def has_session(self, session: int) -> bool:
        """Whether this is the session that the child was born into. The child is there, or it was asked for before."""
        self.remember_session()
        return self._session == session


def owner_of(pid: int, stat: Stat, jobs: Collection[JobProcesses]) -> JobProcesses | None:
    """Return the one of `jobs` that the process `pid` belongs to, `None` where nothing tells.

    By its process group, where the kernel asks about groups: that is exact and no process can change it. Else by what
    else a job has for itself: a user, a cgroup, a session.
    """
    found = (
        _first(job for job in jobs if job.groups.has_group(stat.group))
        or _by_user(pid, jobs)
        or _first(job for job in jobs if pid in job.cgroup.processes())
        or _first(job for job in jobs if job.has_session(stat.session))
    )
    if found is not None:
        return found
    # What is in no group of a job whose groups are all known is not its. If that leaves a single job, it is that one's.
    others = [job for job in jobs if not job.groups.complete]
    return others[0] if len(others) == 1 else None


def unannounced(pids: Iterable[int], jobs: Collection[JobProcesses], sessions: Collection[int]) -> set[int]:
    """Return those that may be children nobody has heard of yet: in one of `sessions`, and in no group of a job."""
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
    """Sort children of this process by the job they belong to, the dead included. Some 50 us for each of them.

    Raises `OSError` for one that is there and can't be read, for want of a descriptor.
    """
    owned: dict[JobProcesses | None, set[int]] = {}
    for pid in pids:
        if (stat := read_stat(pid)) is not None:
            owned.setdefault(owner_of(pid, stat, jobs), set()).add(pid)
        elif os.path.exists(f"/proc/{pid}"):
            kernel_files.read(f"/proc/{pid}/stat")  # raises what was the matter, if it still is
    return owned


def _by_user(pid: int, jobs: Collection[JobProcesses]) -> JobProcesses | None:
    if all(job.user is None for job in jobs):
        return None
    user = user_of(pid)
    return _first(job for job in jobs if job.user is not None and job.user == user)


def _first(jobs: Iterable[JobProcesses]) -> JobProcesses | None:
    return next(iter(jobs), None)
