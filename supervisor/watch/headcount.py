"""Counting the processes and threads of each job, in time to catch one that multiplies."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from supervisor.precedence import Precedence
from supervisor.processes import tree_below
from supervisor.watch.telltale import Telltale

LOOK_SECONDS: Final = 0.05
"""How often the tell-tale is looked at while jobs run."""

COUNT_SECONDS: Final = 1.0
"""How often each job is counted in any case: what grows slowly is not seen by the tell-tale."""


@dataclass(frozen=True, slots=True)
class _Counted:
    most: int
    on_count: Callable[[int], None]


class Headcount:
    """Counts every job once a second, and at once when the number of tasks of the whole machine jumps.

    Apart from the sampler and in a thread of its own: memory can't be read while a process forks and waits for the
    processor, which in a bomb is always.
    """

    def __init__(self) -> None:
        self._counted: dict[int, _Counted] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._precedence = Precedence()
        self._counter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="headcount")

    def watch(self, pid: int, most: int | None, on_count: Callable[[int], None]) -> None:
        """Deliver the number of tasks of ``pid`` and its descendants to ``on_count``, on the loop, until `forget`.

        Counting ends above ``most``. With `None` there is nothing to count for.
        """
        if most is None:
            return
        self._precedence.take()
        self._counted[pid] = _Counted(most, on_count)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._count_for_ever(), name="headcount")
        self._wake.set()

    def forget(self, pid: int) -> None:
        """Stop counting ``pid``."""
        if self._counted.pop(pid, None) is not None:
            self._precedence.give_back()

    async def _count_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        telltale, due = Telltale(), 0.0
        while True:
            if not self._counted:
                self._wake.clear()
                await self._wake.wait()
                telltale, due = Telltale(), loop.time() + COUNT_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            jumped = telltale.has_jumped(min((one.most for one in self._counted.values()), default=0))
            if jumped or loop.time() >= due:
                due = loop.time() + COUNT_SECONDS
                await self._count(dict(self._counted))

    async def _count(self, chosen: dict[int, _Counted]) -> None:
        asked = [(pid, one.most) for pid, one in chosen.items()]
        counts = await asyncio.get_running_loop().run_in_executor(self._counter, _tasks_of, asked)
        for (pid, one), count in zip(chosen.items(), counts, strict=True):
            if self._counted.get(pid) is one:
                one.on_count(count)

    async def close(self) -> None:
        """Stop counting."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._counter.shutdown(wait=True)


def _tasks_of(asked: list[tuple[int, int]]) -> list[int]:
    return [tree_below((pid,), most_tasks=most).tasks for pid, most in asked]
