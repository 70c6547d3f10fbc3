"""A worker with one slot that has nothing to do: start to first poll, memory, processor time."""

import asyncio
import statistics
import time
from typing import Final

from tests.programs.bench import cpu
from tests.programs.bench.against.usage import at_rest, memory_mb
from tests.programs.bench.figures import Figure, Target
from tests.programs.bench.growth.setup import COMPARED_BLOCKS, ECHO, Setup
from tests.programs.bench.stage import staged

START_SECONDS_TARGET: Final = 0.65
MB_TARGET: Final = 90
PERCENT_TARGET: Final = 0.15
_SETTLE_SECONDS: Final = 7
"""What a worker keeps for the next jobs, the processes that hold sessions, it ends after five seconds, with a look each
second. Only then it is idle."""


async def measure(setup: Setup) -> list[Figure]:
    """Start some workers, one after the other, and watch the last one. Start and memory are medians."""
    starts: list[float] = []
    start_cpu: list[float] = []
    memory: list[float] = []
    shares: dict[str, float] = {}
    repeats = setup.count(5, 2)
    for number in range(repeats):
        options = setup.worker(blocks=(COMPARED_BLOCKS,))
        async with staged(setup.directory / f"idle-{number}", options) as stage:
            starts.append(stage.start_seconds)
            start_cpu.append((await at_rest(stage.worker_pid)).usage.cpu_seconds)
            # A worker that never had a job has not started what it starts for the first one.
            await stage.engine.wait_for(await stage.engine.submit(ECHO, [{"text": "first"}]), 30)
            await asyncio.sleep(setup.count(_SETTLE_SECONDS, 2))
            used = memory_mb((await at_rest(stage.worker_pid)).pids)
            memory += [] if used is None else [used]
            if number == repeats - 1:
                start, before = time.monotonic(), cpu.cpu_seconds_by_process(stage.worker_pid)
                await asyncio.sleep(setup.count(21, 3))
                seconds, after = time.monotonic() - start, cpu.cpu_seconds_by_process(stage.worker_pid)
                shares = {name: used / seconds * 100 for name, used in cpu.used(before, after).items()}
    figures = [
        Figure("start → first poll", statistics.median(starts), "s", Target(START_SECONDS_TARGET)),
        Figure("  CPU of all processes, up to the first rest", statistics.median(start_cpu) * 1000, "ms"),
        Figure("idle, one slot, all processes", sum(shares.values()), "% of a core", Target(PERCENT_TARGET)),
        *(Figure(f"  of that {name}", share, "% of a core") for name, share in sorted(shares.items())),
    ]
    if memory:
        share = Figure("idle, one slot, memory (PSS)", statistics.median(memory), "MB", Target(MB_TARGET))
        figures.insert(2, share)
    return figures
