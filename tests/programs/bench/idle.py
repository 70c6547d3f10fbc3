"""What an idle worker costs: keeper, supervisor, template and spares together, in percent of one core."""

import asyncio
import time
from pathlib import Path
from typing import Final

from tests.programs.bench import cpu
from tests.programs.bench.figures import Figure, Target
from tests.programs.bench.sizes import Sizes
from tests.programs.bench.stage import ECHO, WorkerOptions, staged

SLOTS: Final = 8
SETTLE_SECONDS: Final = 1.5
PERCENT_TARGET: Final = 0.5


async def measure(directory: Path, sizes: Sizes) -> list[Figure]:
    """Watch a worker at its default settings that has run a job and has nothing more to do."""
    async with staged(directory, WorkerOptions(slots=SLOTS)) as stage:
        # A worker that never had a job has not started what it starts for the first one.
        await stage.engine.wait_for(await stage.engine.submit(ECHO, [{"text": "first"}]), 30)
        await asyncio.sleep(SETTLE_SECONDS)
        start, before = time.monotonic(), cpu.cpu_seconds_by_process(stage.worker_pid)
        await asyncio.sleep(sizes.idle_seconds)
        seconds, after = time.monotonic() - start, cpu.cpu_seconds_by_process(stage.worker_pid)
    shares = {name: used / seconds * 100 for name, used in cpu.used(before, after).items()}
    total = Figure("idle worker, all processes", sum(shares.values()), "% of a core", Target(PERCENT_TARGET))
    return [
        total,
        *(Figure(f"  of that {name}", share, "% of a core") for name, share in sorted(shares.items())),
    ]
