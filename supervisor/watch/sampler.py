"""Samples of what each job's processes use, in a thread: a look into /proc may have to wait."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil

from supervisor.processes import tree_below

IDLE_SECONDS: Final = 1.0
"""How often a job is looked at."""

NEAR_SECONDS: Final = 0.25
"""How often above 80 % of its memory limit."""

NEAR_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Sample:
    """What a job's processes use at one moment. Memory is private (USS): shared pages are the template's.

    ``threads`` counts every process at least once. Above the limit of processes, counting stops and memory is
    left at 0: reading it waits for each process that is about to fork.
    """

    memory_mb: float
    cpu_seconds: float
    threads: int
    descendants: int


@dataclass(slots=True)
class _Watched:
    process: psutil.Process
    memory_limit_mb: float | None
    on_sample: Callable[[Sample], None]
    due: float
    processes_limit: int | None


class Sampler:
    """Looks at every watched job once a second, four times a second where memory gets tight."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def watch(
        self,
        pid: int,
        memory_limit_mb: float | None,
        on_sample: Callable[[Sample], None],
        processes_limit: int | None = None,
    ) -> None:
        """Deliver samples of ``pid`` and its descendants to ``on_sample``, on the loop, until `forget`."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(psutil.NoSuchProcess):
            due = loop.time() + (IDLE_SECONDS if memory_limit_mb is None else NEAR_SECONDS)
            self._watched[pid] = _Watched(
                psutil.Process(pid), memory_limit_mb, on_sample, due, processes_limit
            )
            if self._task is None:
                self._task = loop.create_task(self._sample_for_ever(), name="sampler")
            self._wake.set()

    def forget(self, pid: int) -> None:
        """Stop looking at ``pid``."""
        self._watched.pop(pid, None)

    async def _sample_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._watched:
                self._wake.clear()
                await self._wake.wait()
            due = min((watched.due for watched in self._watched.values()), default=loop.time())
            await asyncio.sleep(max(due - loop.time(), 0.01))
            chosen = {pid: item for pid, item in self._watched.items() if item.due <= loop.time()}
            looks = [(item.process, item.processes_limit) for item in chosen.values()]
            samples = await asyncio.to_thread(_look, looks)
            for (pid, item), sample in zip(chosen.items(), samples, strict=True):
                if self._watched.get(pid) is item and sample is not None:
                    item.due = loop.time() + _pause(sample, item.memory_limit_mb)
                    item.on_sample(sample)
                elif sample is None:
                    item.due = loop.time() + IDLE_SECONDS

    async def close(self) -> None:
        """Stop looking at anything."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _pause(sample: Sample, limit_mb: float | None) -> float:
    near = limit_mb is not None and sample.memory_mb > NEAR_SHARE * limit_mb
    return NEAR_SECONDS if near else IDLE_SECONDS


def _look(looks: list[tuple[psutil.Process, int | None]]) -> list[Sample | None]:
    return [_sample(process, most) for process, most in looks]


def _sample(process: psutil.Process, most: int | None) -> Sample | None:
    try:
        # Asks the kernel for this tree, and not, as psutil does, for every process of the machine.
        tree = tree_below((process.pid,), most_tasks=most)
        memory = _private_bytes(process) if tree.complete else 0
        times = process.cpu_times()
    except (psutil.Error, OSError):  # the latter when descriptors run out: one sample less, not none any more
        return None
    descendants = [pid for pid in tree.parents if pid != process.pid]
    for descendant in descendants if tree.complete else ():
        with contextlib.suppress(psutil.Error, OSError):
            memory += _private_bytes(psutil.Process(descendant))
    return Sample(memory / 2**20, times.user + times.system, tree.tasks, len(descendants))


def _private_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.AccessDenied:
        # Of another user, and without CAP_SYS_PTRACE: what is not of files, which counts the template's pages too.
        usage = process.memory_info()
        return int(usage.rss - usage.shared)
