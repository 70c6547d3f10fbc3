"""When each processor of this machine stood still, which no program on it can be blamed for.

`python -m tests.faults.processors` measures it until SIGTERM, by waking again and again, and then prints one JSON list:
each time when it was late (CLOCK_MONOTONIC), and by how many seconds.
"""

import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

_INTERVAL_SECONDS: Final = 0.02
_LATE_SECONDS: Final = 0.1
"""Less is what a process waits for its turn on a busy machine."""
_MOST_PROCESSORS: Final = 8

Lateness = tuple[float, float]
"""When a process ran again, and by how many seconds that was too late."""


def measure() -> list[Lateness]:
    """Wake again and again until SIGTERM, which must be blocked; return each time that was late."""
    late: list[Lateness] = []
    while True:
        due = time.monotonic() + _INTERVAL_SECONDS
        ended = signal.sigtimedwait({signal.SIGTERM}, _INTERVAL_SECONDS)
        now = time.monotonic()
        if now - due > _LATE_SECONDS:
            late.append((now, now - due))
        if ended is not None:
            return late


def stood_still(lateness: Iterable[Lateness], begin: float, end: float) -> float:
    """Return for how many seconds of this time one processor or another stood still, none of them counted twice."""
    total, until = 0.0, begin
    for since, at in sorted((at - late, at) for at, late in lateness):
        total += max(0.0, min(at, end) - max(since, until))
        until = max(until, at)
    return total


def epoch() -> float:
    """Return the calendar's time less CLOCK_MONOTONIC, of two looks at both between which nothing came."""
    looks = [(time.monotonic(), time.time(), time.monotonic()) for _ in range(20)]
    before, now, after = min(looks, key=lambda look: look[2] - look[0])
    return now - (before + after) / 2


class Watch:
    """The processes that measure, one on each processor. `late` is filled when they have ended."""

    def __init__(self, pids: frozenset[int]) -> None:
        self.pids = pids
        self.late: list[Lateness] = []


@asynccontextmanager
async def watched_processors(directory: Path) -> AsyncIterator[Watch]:
    """Measure until the block is left.

    On each processor, because a host may take a single one of a virtual machine away. The machine's own kernel does
    not know that, and leaves there what runs there.
    """
    # Here, since each of the processes that measure imports this module and none of that.
    from tests.faults.programs import Program

    async with AsyncExitStack() as running:
        programs = []
        for processor in sorted(os.sched_getaffinity(0))[:_MOST_PROCESSORS]:
            program = Program(f"processor{processor}", directory)
            running.push_async_callback(program.kill)
            await program.start("tests.faults.processors")
            os.sched_setaffinity(program.pid, {processor})
            await program.wait_for("^measuring$")
            programs.append(program)
        watch = Watch(frozenset(program.pid for program in programs))
        yield watch
        for program in programs:
            program.signal(signal.SIGTERM)
            await program.ended()
            watch.late += [tuple(each) for each in json.loads(program.said().splitlines()[-1])]


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    print("measuring", flush=True)
    print(json.dumps(measure()), flush=True)
