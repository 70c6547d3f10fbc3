"""One look at the processes of some jobs: what they use at this moment."""

import time
from dataclasses import dataclass
from typing import Final

import psutil

from supervisor.process.memory import Inheritance, memory_of
from supervisor.process.proc import tree_below
from supervisor.process.sleep import ProcessSleep
from supervisor.watch.rounds import reason_of

FULL_LOOK_SECONDS: Final = 30.0
"""How long a sleeping job is assumed to use the same as before. Its share of shared memory may change meanwhile."""

SLOW_SECONDS: Final = 0.25
"""Of processor time: no other job waits for a look that takes longer. The kernel can take seconds to read maps."""

SLOW_WAIT_SECONDS: Final = 1.0
"""The same by the clock. It is longer, because a busy machine does not make a job a slow one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a job's processes use at one moment. Memory is without the template's pages (`supervisor.process.memory`).

    `threads` counts every process at least once. Above the limit of processes, counting stops, memory stays 0, and of
    processor time only that of the first process counts: reading more would wait for each process that is about to
    fork. `missed` says why a part of it could not be seen, unless a process has only ended meanwhile.
    """

    memory_mb: float
    cpu_seconds: float
    threads: int
    descendants: int
    missed: str | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    """A process that exists, as far as is known, but could not be looked at."""

    reason: str


class Same:
    """The result of a look at a job that has slept since the last one."""


SAME: Final = Same()


@dataclass(frozen=True, slots=True)
class Seen:
    """The result of a look, `None` if the process has ended; how long it took, and whether that is too long."""

    what: Sample | Unseen | Same | None
    seconds: float
    slow: bool


@dataclass(frozen=True, slots=True)
class Look:
    """Which job to look at, and what is known of it."""

    pid: int
    most_tasks: int | None
    inheritance: Inheritance
    sleep: ProcessSleep


def look_at(looks: list[Look]) -> list[Seen]:
    """Look at one job after the other, up to the first slow one: the results so far must be reported soon."""
    seen: list[Seen] = []
    for look in looks:
        begun, used = time.monotonic(), time.thread_time()
        what = sample_of(look)
        seconds, used = time.monotonic() - begun, time.thread_time() - used
        seen.append(Seen(what, seconds, used > SLOW_SECONDS or seconds > SLOW_WAIT_SECONDS))
        if seen[-1].slow:
            break
    return seen


def sample_of(look: Look) -> Sample | Unseen | Same | None:
    """Return a sample, `None` if the process has ended."""
    if look.sleep.lasts(FULL_LOOK_SECONDS):
        return SAME
    look.sleep.begin()  # before the look: a process that runs meanwhile must not count as asleep
    sample = _full_sample_of(look)
    if not isinstance(sample, Sample) or sample.descendants or sample.missed is not None:
        look.sleep.end()
    return sample


def _full_sample_of(look: Look) -> Sample | Unseen | None:
    try:
        # Asks the kernel only for this tree. psutil would ask for every process of the machine.
        tree = tree_below((look.pid,), most_tasks=look.most_tasks)
        if not tree.parents:
            return None if tree.missed is None else Unseen(reason_of(tree.missed))
        # From the top: what is waited for meanwhile is then missing once, and never counts twice.
        cpu_seconds = sum(map(_cpu_seconds_of, tree.parents if tree.complete else (look.pid,)))
        memory, missed = memory_of(tree.parents, look.inheritance) if tree.complete else (0, None)
    except (ProcessLookupError, FileNotFoundError):
        return None
    except (psutil.Error, OSError) as error:
        return Unseen(reason_of(error))
    missed = tree.missed or missed
    return Sample(
        memory / 2**20,
        cpu_seconds,
        tree.tasks,
        len(tree.parents.keys() - {look.pid}),
        None if missed is None else reason_of(missed),
    )


def _cpu_seconds_of(pid: int) -> float:
    """Return the processor time of a process and of those that it has waited for; 0 if it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
