"""Samples of what each job's processes use, taken in a thread: a look into /proc may have to wait."""

import asyncio
import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from supervisor.process.memory import NOTHING_INHERITED, Inheritance, Inherited
from supervisor.process.sleep import ProcessSleep
from supervisor.process.tasks import Tasks
from supervisor.watch.look import Look, Same, Sample, Seen, Unseen, look_at
from supervisor.watch.rounds import Rounds, reason_of

IDLE_SECONDS: Final = 1.0
"""How often it looks at a job."""

NEAR_SECONDS: Final = 0.25
"""How often above 80 % of its memory limit, and if nobody knows how near it is."""

NEAR_SHARE: Final = 0.8

_TOGETHER_SECONDS: Final = 0.1
"""Jobs that are due within so long a time are looked at together: each look wakes up a thread and the loop."""


@dataclass(slots=True)
class _Watched:
    memory_limit_mb: float | None
    on_sample: Callable[[Sample], None]
    on_failure: Callable[[str], None]
    due: float
    processes_limit: int | None
    inheritance: Inheritance
    sleep: ProcessSleep
    slow: bool = False
    last: Sample | None = None
    has_failed: bool = False
    """Whether a look has failed since the last successful one."""


class _Lane:
    """Jobs that are looked at one after the other: those whose last look was quick, or those whose was slow."""

    def __init__(self, name: str, *, slow: bool, failing: str, working: str) -> None:
        self.slow = slow
        self.name = name
        self.wake = asyncio.Event()
        self.waits_until = -math.inf
        self.rounds = Rounds(name, failing=failing, working=working)

    def hear(self, due: float) -> None:
        """Note that a job is due then. Wakes nothing that looks earlier anyway: most jobs are over by then."""
        if due < self.waits_until:
            self.wake.set()


class Sampler:
    """Looks at every watched job once a second, four times a second if memory gets tight.

    A job without other processes that has slept since gets no full look: its memory is the same.

    It uses its own thread, and another one for jobs whose last look was slow (`look.SLOW_SECONDS`). So one job can't
    keep it from seeing the others. A failed look is reported, and repeated at the next beat.
    """

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._tasks = Tasks()
        quick = _Lane(
            "sampler",
            slow=False,
            failing="The worker can't read the memory of jobs. Memory limits hold only where a cgroup enforces them.",
            working="The worker can read the memory of jobs again, and enforces their limits.",
        )
        slow = _Lane(
            "sampler of slow jobs",
            slow=True,
            failing="The worker can't read in time the memory of jobs that take long to look at. Their memory limits "
            "hold only where a cgroup enforces them; those of other jobs hold.",
            working="The worker can read the memory of jobs that take long to look at again.",
        )
        self._lanes = {lane.slow: lane for lane in (quick, slow)}

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

        `inherited` memory does not count for the job. `on_failure` gets the reason of each look that fails.
        """
        first = IDLE_SECONDS if memory_limit_mb is None else NEAR_SECONDS
        due = asyncio.get_running_loop().time() + first
        whose = Inheritance(inherited), ProcessSleep(pid)
        item = _Watched(memory_limit_mb, on_sample, on_failure, due, processes_limit, *whose)
        self._watched[pid] = item
        if not self._tasks:
            for lane in self._lanes.values():
                self._tasks.keep(partial(self._sample_for_ever, lane), f"{lane.name}: the jobs' memory")
        self._lanes[False].hear(due)
        if late := self._lanes[False].rounds.late:
            self._failed({pid: item}, late)

    def last(self, pid: int) -> Sample | None:
        """Return the last sample of a watched process."""
        watched = self._watched.get(pid)
        return None if watched is None else watched.last

    def forget(self, pid: int) -> None:
        """Stop looking at `pid`."""
        self._watched.pop(pid, None)

    async def _sample_for_ever(self, lane: _Lane) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = self._due_in(lane)
            lane.waits_until = max(due[0][1].due, loop.time() + 0.01) if due else math.inf
            lane.wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(lane.waits_until if due else None):
                    await lane.wake.wait()
                continue  # a job is due earlier
            # Those that are due soon, too: from then on they are due at the same time.
            until = loop.time() + _TOGETHER_SECONDS
            await self._sample(lane, dict(each for each in self._due_in(lane) if each[1].due <= until))

    def _due_in(self, lane: _Lane) -> list[tuple[int, _Watched]]:
        """Return the lane's jobs, first the one that has waited longest."""
        jobs = (each for each in self._watched.items() if each[1].slow == lane.slow)
        return sorted(jobs, key=lambda each: each[1].due)

    async def _sample(self, lane: _Lane, chosen: dict[int, _Watched]) -> None:
        if not chosen:
            return
        looks = [Look(pid, one.processes_limit, one.inheritance, one.sleep) for pid, one in chosen.items()]
        failure: str | None = None

        def on_late(reason: str) -> None:
            self._failed(dict(self._due_in(lane)), reason)  # no job in this lane is looked at meanwhile

        try:
            seen = await lane.rounds.look(look_at, looks, on_late)
            for (pid, item), each in zip(chosen.items(), seen, strict=False):  # the rest is still due
                failure = self._deliver(pid, item, each.what) or failure
                self._change_lane(item, each)
        except Exception as error:  # after any error, the next job must still be looked at
            failure = reason_of(error)
            self._failed(chosen, failure)
        lane.rounds.tell(failure)

    def _change_lane(self, item: _Watched, seen: Seen) -> None:
        item.slow = seen.slow
        if item.slow:  # it rests as long as its look took: looks take at most half of a processor
            item.due = max(item.due, asyncio.get_running_loop().time() + seen.seconds)
        self._lanes[item.slow].hear(item.due)

    def _deliver(self, pid: int, item: _Watched, sample: Sample | Unseen | Same | None) -> str | None:
        """Pass a sample on. Return why there is none, or why it is incomplete."""
        if isinstance(sample, Same):
            if not item.has_failed:
                item.due = asyncio.get_running_loop().time() + _pause(item.last, item.memory_limit_mb)
                return None
            sample = item.last
        if sample is None:
            item.due = asyncio.get_running_loop().time() + IDLE_SECONDS
            return None
        missed = sample.reason if isinstance(sample, Unseen) else sample.missed
        if self._watched.get(pid) is item and isinstance(sample, Sample):
            item.due = asyncio.get_running_loop().time() + _pause(sample, item.memory_limit_mb)
            item.last = sample
            item.has_failed = False
            item.on_sample(sample)
        if missed is not None:
            self._failed({pid: item}, missed)
        return missed

    def _failed(self, chosen: dict[int, _Watched], reason: str) -> None:
        for pid, item in chosen.items():
            item.due = asyncio.get_running_loop().time() + NEAR_SECONDS
            item.has_failed = True
            if self._watched.get(pid) is item:
                item.on_failure(reason)

    async def close(self) -> None:
        """Stop looking at anything."""
        await self._tasks.close()
        for lane in self._lanes.values():
            await lane.rounds.close()


def _pause(sample: Sample | None, limit_mb: float | None) -> float:
    near = limit_mb is not None and sample is not None and sample.memory_mb > NEAR_SHARE * limit_mb
    return NEAR_SECONDS if near else IDLE_SECONDS
