"""A cheap sign that something on this machine multiplies: the kernel's number of tasks."""

from typing import Final

from jobrunner.protocol import kernel_files

_FEWEST: Final = 32


class TaskCountProbe:
    """Says whether the number of tasks of the whole machine has jumped since the last look at the jobs.

    It can't see whose tasks they are, and costs about ten microseconds. A look at a job costs a thousand times that.
    """

    def __init__(self, path: str = "/proc/loadavg") -> None:
        self._path = path
        self._last = self._tasks()

    def has_jumped(self, most: int) -> bool:
        """Whether there are so many new tasks that a job with at most `most` may have a good part of them."""
        tasks = self._tasks()
        if tasks - self._last > max(_FEWEST, most // 4):
            self._last = tasks
            return True
        # Tasks that have ended meanwhile must not hide the next ones.
        self._last = min(self._last, tasks)
        return False

    def _tasks(self) -> int:
        try:
            # "0.20 0.18 0.12 1/80 11206": running and all tasks are fourth (proc_loadavg(5)).
            return int(kernel_files.read(self._path).split()[3].partition(b"/")[2])
        except (OSError, ValueError, IndexError):
            return 0
