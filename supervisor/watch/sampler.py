"""Samples of what each job's processes use, by psutil, in a thread: a look into /proc may have to wait."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil

IDLE_SECONDS: Final = 1.0
"""How often a job is looked at."""

NEAR_SECONDS: Final = 0.25
"""How often above 80 % of its memory limit."""

NEAR_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Sample:
    """What a job's processes use at one moment. Memory is private (USS): shared pages are the template's."""

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


class Sampler:
    """Looks at every watched job once a second, four times a second where memory gets tight."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def watch(self, pid: int, memory_limit_mb: float | None, on_sample: Callable[[Sample], None]) -> None:
        """Deliver samples of ``pid`` and its descendants to ``on_sample``, on the loop, until `forget`."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(psutil.NoSuchProcess):
            due = loop.time() + (IDLE_SECONDS if memory_limit_mb is None else NEAR_SECONDS)
            self._watched[pid] = _Watched(psutil.Process(pid), memory_limit_mb, on_sample, due)
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
            samples = await asyncio.to_thread(_look, [item.process for item in chosen.values()])
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


def _look(processes: list[psutil.Process]) -> list[Sample | None]:
    return [_sample(process) for process in processes]


def _sample(process: psutil.Process) -> Sample | None:
    try:
        with process.oneshot():
            memory = process.memory_full_info().uss
            times = process.cpu_times()
            threads = process.num_threads()
        descendants = process.children(recursive=True)
    except (psutil.Error, OSError):  # the latter when descriptors run out: one sample less, not none any more
        return None
    for descendant in descendants:
        with contextlib.suppress(psutil.Error, OSError):
            memory += descendant.memory_full_info().uss
            threads += descendant.num_threads()
    return Sample(memory / 2**20, times.user + times.system, threads, len(descendants))
