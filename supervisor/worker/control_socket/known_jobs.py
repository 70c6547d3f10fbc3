"""Processes that are known to belong to jobs: repeated requests from a job must cost the worker almost nothing."""

from typing import Final

from supervisor.process.proc import read_stat
from supervisor.worker.control_socket.ancestry import Ancestor

MOST: Final = 1024


class KnownJobs:
    """Remembers processes by pid and start: what a job has started belongs to the job as long as it lives."""

    def __init__(self) -> None:
        self._started: dict[int, int] = {}

    def add(self, process: Ancestor) -> None:
        """Remember a process that was proven to be a job's. If there are too many, forget the oldest one."""
        if len(self._started) >= MOST:
            del self._started[next(iter(self._started))]
        self._started[process.pid] = process.started

    def has(self, pid: int) -> bool:
        """Whether the process that has this pid now is one of them."""
        started = self._started.get(pid)
        if started is None:
            return False
        stat = read_stat(pid)
        if stat is not None and stat.started == started:
            return True
        del self._started[pid]
        return False
