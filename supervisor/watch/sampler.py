"""Samples of what each job's processes use, in a thread: a look into /proc may have to wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil

from supervisor.process.memory import NOTHING_INHERITED, Inherited, memory_of
from supervisor.process.proc import tree_below
from supervisor.process.tasks import Tasks
from supervisor.watch.rounds import Rounds, reason_of

IDLE_SECONDS: Final = 1.0
"""How often a job is looked at."""

NEAR_SECONDS: Final = 0.25
"""How often above 80 % of its memory limit, and where nobody knows how near it is."""

NEAR_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Sample:
    """What a job's processes use at one moment. Memory is without the template's pages (`supervisor.process.memory`).

    `threads` counts every process at least once. Above the limit of processes, counting stops and memory is
    left at 0: reading it waits for each process that is about to fork. `missed` says why a part of it could not be
    seen, where it is not only that a process has ended meanwhile.
    """

    memory_mb: float
    cpu_seconds: float
    threads: int
    descendants: int
    missed: str | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    """A process that is there, as far as is known, and could not be looked at."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Look:
    pid: int
    most_tasks: int | None
    inherited: Inherited


@dataclass(slots=True)
class _Watched:
    memory_limit_mb: float | None
    on_sample: Callable[[Sample], None]
    on_failure: Callable[[str], None]
    due: float
    processes_limit: int | None
    inherited: Inherited


class Sampler:
    """Looks at every watched job once a second, four times a second where memory gets tight.

    In a thread of its own. A look that fails is told, and tried again on the next beat.
    """

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._wake = asyncio.Event()
        self._tasks = Tasks()
        self._rounds = Rounds(
            "sampler",
            failing="The worker can't read the memory of jobs. Memory limits hold only where a cgroup enforces them.",
            working="The worker can read the memory of jobs again, and enforces their limits.",
        )

    def watch(
        self,
        pid: int,
        memory_limit_mb: float | None,
        on_sample: Callable[[Sample], None],
        on_failure: Callable[[str], None],
        processes_limit: int | None = None,
        inherited: Inherited = NOTHING_INHERITED,
    ) -> None:
        """Deliver samples of `pid` and its descendants to `on_sample`, on the loop, until `forget`.

        What it has `inherited` is not the job's. `on_failure` gets the reason of each look that fails.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + (IDLE_SECONDS if memory_limit_mb is None else NEAR_SECONDS)
        self._watched[pid] = _Watched(memory_limit_mb, on_sample, on_failure, due, processes_limit, inherited)
        if not self._tasks:
            self._tasks.keep(self._sample_for_ever, "sampler of the jobs' memory")
        self._wake.set()

    def forget(self, pid: int) -> None:
        """Stop looking at `pid`."""
        self._watched.pop(pid, None)

    async def _sample_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._watched:
                self._wake.clear()
                await self._wake.wait()
            due = min((watched.due for watched in self._watched.values()), default=loop.time())
            await asyncio.sleep(max(due - loop.time(), 0.01))
            await self._sample({pid: item for pid, item in self._watched.items() if item.due <= loop.time()})

    async def _sample(self, chosen: dict[int, _Watched]) -> None:
        if not chosen:
            return
        looks = [_Look(pid, item.processes_limit, item.inherited) for pid, item in chosen.items()]
        failure: str | None = None
        try:
            samples = await self._rounds.look(_look, looks, lambda reason: self._failed(chosen, reason))
            for (pid, item), sample in zip(chosen.items(), samples, strict=True):
                failure = self._deliver(pid, item, sample) or failure
        except Exception as error:  # whatever it is, the next job must be looked at
            failure = reason_of(error)
            self._failed(chosen, failure)
        self._rounds.tell(failure)

    def _deliver(self, pid: int, item: _Watched, sample: Sample | Unseen | None) -> str | None:
        """Pass a sample on. Return why there is none, or why it is not the whole."""
        if sample is None:
            item.due = asyncio.get_running_loop().time() + IDLE_SECONDS
            return None
        missed = sample.reason if isinstance(sample, Unseen) else sample.missed
        if self._watched.get(pid) is item and isinstance(sample, Sample):
            item.due = asyncio.get_running_loop().time() + _pause(sample, item.memory_limit_mb)
            item.on_sample(sample)
        if missed is not None:
            self._failed({pid: item}, missed)
        return missed

    def _failed(self, chosen: dict[int, _Watched], reason: str) -> None:
        for pid, item in chosen.items():
            item.due = asyncio.get_running_loop().time() + NEAR_SECONDS
            if self._watched.get(pid) is item:
                item.on_failure(reason)

    async def close(self) -> None:
        """Stop looking at anything."""
        await self._tasks.close()
        await self._rounds.close()


def _pause(sample: Sample, limit_mb: float | None) -> float:
    near = limit_mb is not None and sample.memory_mb > NEAR_SHARE * limit_mb
    return NEAR_SECONDS if near else IDLE_SECONDS


def _look(looks: list[_Look]) -> list[Sample | Unseen | None]:
    return [_sample_of(look) for look in looks]


def _sample_of(look: _Look) -> Sample | Unseen | None:
    """Return a sample, `None` where the process has ended."""
    try:
        process = psutil.Process(look.pid)
        # Asks the kernel for this tree, and not, as psutil does, for every process of the machine.
        tree = tree_below((look.pid,), most_tasks=look.most_tasks)
        if not tree.parents and tree.missed is not None:
            return Unseen(reason_of(tree.missed))
        times = process.cpu_times()
        memory, missed = memory_of(tree.parents, look.inherited) if tree.complete else (0, None)
    except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
        return None
    except (psutil.Error, OSError) as error:
        return Unseen(reason_of(error))
    missed = tree.missed or missed
    return Sample(
        memory / 2**20,
        times.user + times.system,
        tree.tasks,
        len(tree.parents.keys() - {look.pid}),
        None if missed is None else reason_of(missed),
    )
