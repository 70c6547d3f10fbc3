"""Watches the processor time of each job that has a limit for it."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from supervisor.process.cgroups.cgroup import Cgroup
from supervisor.process.cpu_time import cpu_seconds_of
from supervisor.process.proc import tree_below
from supervisor.process.tasks import Tasks
from supervisor.watch.rounds import Rounds, reason_of

MOST_PAUSE_SECONDS: Final = 1.0
"""How often it looks at a job that is far from its limit."""

LEAST_PAUSE_SECONDS: Final = 0.25
"""How often it looks at a job near its limit. It exceeds its limit at most by what all processors do in this time."""


def pause_before(left_seconds: float, processors: int) -> float:
    """Return how long a job with so much of its limit left may go without a look: it must not use it up meanwhile."""
    return min(MOST_PAUSE_SECONDS, max(LEAST_PAUSE_SECONDS, left_seconds / processors))


class CpuMeter:
    """Counts what a job has used since this object was made: a spare has used some time before its order.

    It reads the cgroup, which counts every process that was ever in it. Without a cgroup, it adds up the living
    processes and those that they have waited for. Raises `OSError` if the time used before can't be read.
    """

    def __init__(self, pid: int, cgroup: Cgroup, most_tasks: int | None = None) -> None:
        self._pid = pid
        self._cgroup = cgroup
        self._most_tasks = most_tasks
        self._by_cgroup = False
        with contextlib.suppress(OSError):
            self._by_cgroup = cgroup.cpu_seconds() is not None
        self._before = self._total()

    def used_seconds(self) -> float:
        """Return what was used since then. Raises `OSError` if it can't be read."""
        return max(0.0, self._total() - self._before)

    def _total(self) -> float:
        if self._by_cgroup:
            return self._cgroup.cpu_seconds() or 0.0
        tree = tree_below((self._pid,), most_tasks=self._most_tasks)
        if tree.missed is not None:
            raise tree.missed
        return cpu_seconds_of(tree.parents)


@dataclass(slots=True)
class _Watched:
    limit_seconds: float
    meter: CpuMeter
    on_used: Callable[[float], None]
    on_failure: Callable[[str], None]
    due: float = field(default=0.0)


class CpuWatch:
    """Looks at every job with a CPU limit, in a thread of its own. It knows nothing of other jobs.

    The nearer a job may be to its limit, the sooner it looks (`pause_before`). A failed look is reported and repeated.
    """

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._processors = os.cpu_count() or 1
        self._wake = asyncio.Event()
        self._tasks = Tasks()
        self._rounds = Rounds(
            "cpu_watch",
            failing="The worker can't read the processor time of jobs, and does not enforce their CPU limit.",
            working="The worker can read the processor time of jobs again, and enforces their CPU limit.",
        )

    def watch(
        self,
        pid: int,
        limit_seconds: float | None,
        cgroup: Cgroup,
        on_used: Callable[[float], None],
        on_failure: Callable[[str], None],
        processes_limit: int | None = None,
    ) -> None:
        """Deliver the seconds that a job uses from now on to `on_used`, on the loop, until `forget`.

        Without a limit (`None`) it does nothing. `on_failure` gets the reason of each look that fails.
        Raises `OSError` if what was used before now can't be read.
        """
        if limit_seconds is None:
            return
        meter = CpuMeter(pid, cgroup, processes_limit)
        due = asyncio.get_running_loop().time() + pause_before(limit_seconds, self._processors)
        item = self._watched[pid] = _Watched(limit_seconds, meter, on_used, on_failure, due)
        if not self._tasks:
            self._tasks.keep(self._look_for_ever, "watch of the jobs' processor time")
        self._wake.set()
        if late := self._rounds.late:
            self._failed({pid: item}, late)

    def forget(self, pid: int) -> None:
        """Stop looking at `pid`."""
        self._watched.pop(pid, None)

    async def _look_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            next_due = min((item.due for item in self._watched.values()), default=None)
            # A new job may be due before the known ones.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_due):
                    await self._wake.wait()
            self._wake.clear()
            now = loop.time()
            await self._look({pid: item for pid, item in self._watched.items() if item.due <= now})

    async def _look(self, chosen: dict[int, _Watched]) -> None:
        if not chosen:
            return
        failure: str | None = None
        meters = [item.meter for item in chosen.values()]

        def on_late(reason: str) -> None:
            self._failed(dict(self._watched), reason)  # no job is looked at meanwhile

        try:
            seen = await self._rounds.look(_used, meters, on_late)
            for (pid, item), used in zip(chosen.items(), seen, strict=True):
                if isinstance(used, str):
                    failure = used
                    self._failed({pid: item}, used)
                else:
                    self._deliver(pid, item, used)
        except Exception as error:  # after any error, the next job must still be looked at
            failure = reason_of(error)
            self._failed(chosen, failure)
        self._rounds.tell(failure)

    def _deliver(self, pid: int, item: _Watched, used: float) -> None:
        pause = pause_before(item.limit_seconds - used, self._processors)
        item.due = asyncio.get_running_loop().time() + pause
        if self._watched.get(pid) is item:
            item.on_used(used)

    def _failed(self, chosen: dict[int, _Watched], reason: str) -> None:
        for pid, item in chosen.items():
            item.due = asyncio.get_running_loop().time() + LEAST_PAUSE_SECONDS
            if self._watched.get(pid) is item:
                item.on_failure(reason)

    async def close(self) -> None:
        """Stop looking at anything."""
        await self._tasks.close()
        await self._rounds.close()


def _used(meters: list[CpuMeter]) -> list[float | str]:
    """Return for each job the time it has used, or why that can't be read."""
    found: list[float | str] = []
    for meter in meters:
        try:
            found.append(meter.used_seconds())
        except OSError as error:
            found.append(reason_of(error))
    return found
