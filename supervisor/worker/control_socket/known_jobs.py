"""Which processes were found to be jobs': what a job asks again and again is to cost the worker next to nothing."""

from typing import Final

from supervisor.process.proc import read_stat
from supervisor.worker.control_socket.ancestry import Ancestor

MOST: Final = 1024


class KnownJobs:
    """Remembers processes by number and beginning: what a job has started stays a job's for as long as it lives."""

    def __init__(self) -> None:
        self._started: dict[int, int] = {}

    def add(self, process: Ancestor) -> None:
        """Remember one that was proven to be a job's. The one that is known longest is forgotten for it."""
        if len(self._started) >= MOST:
            del self._started[next(iter(self._started))]
        self._started[process.pid] = process.started

    def has(self, pid: int) -> bool:
        """Whether the process that has this number now is one of them."""
        started = self._started.get(pid)
        if started is None:
            return False
        stat = read_stat(pid)
        if stat is not None and stat.started == started:
            return True
        del self._started[pid]
        return False
