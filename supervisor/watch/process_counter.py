"""Counts the processes and threads of each job, in time to catch one that multiplies."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from supervisor.process.proc import Tree, tree_below
from supervisor.process.realtime_priority import RealtimePriority
from supervisor.process.sleep import ProcessSleep
from supervisor.process.tasks import Tasks
from supervisor.watch.rounds import Rounds, reason_of
from supervisor.watch.task_count_probe import TaskCountProbe

LOOK_SECONDS: Final = 0.05
"""How often it reads the machine's number of tasks while jobs run."""

COUNT_SECONDS: Final = 1.0
"""How often it counts each job anyway: the machine's number does not show slow growth."""


FULL_COUNT_SECONDS: Final = 30.0
"""How long a sleeping job is assumed to have no other processes than before."""

IDLE_SECONDS: Final = 1.0
"""How long real-time priority is kept after the last job: the next job often comes at once."""


@dataclass(slots=True)
class _Counted:
    most: int
    on_count: Callable[[int], None]
    on_failure: Callable[[str], None]
    sleep: ProcessSleep
    last: Tree | None = None
    """The result of the last count, if that was complete."""


@dataclass(frozen=True, slots=True)
class _Look:
    pid: int
    most: int
    sleep: ProcessSleep
    last: Tree | None


class ProcessCounter:
    """Counts every job once a second, and at once if the number of tasks of the whole machine jumps.

    A job without other processes that has slept since has as many threads as before.

    It is apart from the sampler and has its own thread: memory can't be read while a process forks and waits for the
    processor, which is always so in a bomb. A failed count is reported, and repeated at the next beat.
    """

    def __init__(self) -> None:
        self._counted: dict[int, _Counted] = {}
        self._wake = asyncio.Event()
        self._tasks = Tasks()
        self._priority = RealtimePriority()
        self._has_priority = False
        self._rounds = Rounds(
            "process_counter",
            failing="The worker can't count the processes of jobs, and does not enforce their limit.",
            working="The worker can count the processes of jobs again, and enforces their limit.",
        )

    def watch(
        self, pid: int, most: int | None, on_count: Callable[[int], None], on_failure: Callable[[str], None]
    ) -> None:
        """Deliver the number of tasks of `pid` and its descendants to `on_count`, on the loop, until `forget`.

        Counting ends above `most`. With `None` there is no limit, and it counts nothing. `on_failure` gets the reason
        of each count that fails.
        """
        if most is None:
            return
        if not self._has_priority:
            self._priority.take()
            self._has_priority = True
        counted = self._counted[pid] = _Counted(most, on_count, on_failure, ProcessSleep(pid))
        if not self._tasks:
            self._tasks.keep(self._count_for_ever, "counter of the jobs' processes")
        self._wake.set()
        if late := self._rounds.late:
            self._failed({pid: counted}, late)

    def forget(self, pid: int) -> None:
        """Stop counting `pid`."""
        self._counted.pop(pid, None)

    async def _count_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        probe, due = TaskCountProbe(), 0.0
        while True:
            if not self._counted:
                self._wake.clear()
                await self._wait_for_a_job()
                probe, due = TaskCountProbe(), loop.time() + COUNT_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            jumped = probe.has_jumped(min((one.most for one in self._counted.values()), default=0))
            if jumped or loop.time() >= due:
                due = loop.time() + COUNT_SECONDS
                await self._count(dict(self._counted))

    async def _wait_for_a_job(self) -> None:
        # Taking the priority and giving it back is a call for each thread of the worker: don't do it between jobs.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                await self._wake.wait()
                return
        if not self._counted:  # a job may have come in the same moment
            self._give_back()
        await self._wake.wait()

    def _give_back(self) -> None:
        if self._has_priority:
            self._has_priority = False
            self._priority.give_back()

    async def _count(self, chosen: dict[int, _Counted]) -> None:
        asked = [_Look(pid, one.most, one.sleep, one.last) for pid, one in chosen.items()]
        failure: str | None = None

        def on_late(reason: str) -> None:
            self._failed(dict(self._counted), reason)  # no job is counted meanwhile

        try:
            trees = await self._rounds.look(_trees_of, asked, on_late)
            for (pid, one), tree in zip(chosen.items(), trees, strict=True):
                whole = tree.missed is None or tree.tasks > one.most
                if tree is one.last:
                    continue
                one.last = tree if tree.missed is None else None
                if whole and self._counted.get(pid) is one:
                    one.on_count(tree.tasks)
                if tree.missed is not None:
                    failure = reason_of(tree.missed)
                    self._failed({pid: one}, failure)
        except Exception as error:  # after any error, the next bomb must still be counted
            failure = reason_of(error)
            self._failed(chosen, failure)
        self._rounds.tell(failure)

    def _failed(self, chosen: dict[int, _Counted], reason: str) -> None:
        for pid, one in chosen.items():
            one.last = None
            if self._counted.get(pid) is one:
                one.on_failure(reason)

    async def close(self) -> None:
        """Stop counting."""
        await self._tasks.close()
        self._give_back()
        await self._rounds.close()


def _trees_of(asked: list[_Look]) -> list[Tree]:
    return [_tree_of(look) for look in asked]


def _tree_of(look: _Look) -> Tree:
    """Return the job's processes: the same object as last time, if the job has slept since."""
    if look.last is not None and look.sleep.lasts(FULL_COUNT_SECONDS):
        return look.last
    look.sleep.begin()  # before the count: the next count must not miss what starts meanwhile
    tree = tree_below((look.pid,), most_tasks=look.most)
    if len(tree.parents) != 1 or not tree.complete:
        look.sleep.end()
    return tree
