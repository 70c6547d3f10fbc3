"""64 and 256 jobs that sleep and end together: processor time, memory of each, and how late the last result is."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Final

import psutil

from tests.programs.bench import cpu
from tests.programs.bench.against.usage import memory_mb
from tests.programs.bench.engine import check_success, records_of
from tests.programs.bench.errors import BenchError
from tests.programs.bench.figures import Figure, Target
from tests.programs.bench.growth.setup import SLEEP, Setup
from tests.programs.bench.stage import Stage, database_of, staged

PERCENT_TARGET: Final = 15
LATE_SECONDS_TARGET: Final = 1.2
MB_TARGET: Final = 4.5
_NUMBERS: Final = (64, 256)
_WITH_TARGETS: Final = 256
_STARTS_PER_SECOND: Final = 20
_SETTLE_SECONDS: Final = 3.0
_MARGIN_SECONDS: Final = 4.0


async def measure(setup: Setup) -> list[Figure]:
    """Run so many jobs at once as the worker has slots."""
    figures: list[Figure] = []
    for number in (setup.count(jobs, jobs // 8) for jobs in _NUMBERS):
        figures += await _sleepers(setup, number)
    return figures


async def _sleepers(setup: Setup, number: int) -> list[Figure]:
    directory = setup.directory / f"sleepers-{number}"
    watched_seconds = setup.count(10, 2)
    async with staged(directory, setup.worker(slots=number)) as stage:
        start_seconds = 2 + number / _STARTS_PER_SECOND
        end = time.time() + start_seconds + _SETTLE_SECONDS + watched_seconds + _MARGIN_SECONDS
        job_ids = await stage.engine.submit(SLEEP, [{"until": end}] * number)
        await asyncio.sleep(start_seconds + _SETTLE_SECONDS)
        percent = await _percent_used(stage, watched_seconds)
        jobs = _jobs(stage.worker_pid)
        memory = memory_mb(frozenset(jobs))
        if time.time() > end or len(jobs) < number:
            raise BenchError(f"Of {number} jobs that should sleep at once, {len(jobs)} did.")
        await stage.engine.wait_for(job_ids, 120)
    late = await _last_result_late(directory, end)
    targets = [Target(PERCENT_TARGET), Target(LATE_SECONDS_TARGET), Target(MB_TARGET)]
    cpu_target, late_target, memory_target = targets if number == _WITH_TARGETS else (None, None, None)
    figures = [
        Figure(f"{number} sleeping jobs, all processes", sum(percent.values()), "% of a core", cpu_target),
        *(Figure(f"  of that {name}", share, "% of a core") for name, share in sorted(percent.items())),
        Figure("  last result late, all end together", late, "s", late_target),
    ]
    if memory is not None:
        figures.append(Figure("  memory of each (PSS)", memory / number, "MB", memory_target))
    return figures


def _jobs(worker_pid: int) -> list[int]:
    """Return the processes that run a job. A spare may end while this looks."""
    found: list[int] = []
    for process in cpu.tree(worker_pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() == "neops-job":
                found.append(process.pid)
    return found


async def _percent_used(stage: Stage, seconds: float) -> dict[str, float]:
    """Return how much of a core the worker's processes use, by their names."""
    start, before = time.monotonic(), cpu.cpu_seconds_by_process(stage.worker_pid)
    await asyncio.sleep(seconds)
    taken, after = time.monotonic() - start, cpu.cpu_seconds_by_process(stage.worker_pid)
    return {name: used / taken * 100 for name, used in cpu.used(before, after).items()}


async def _last_result_late(directory: Path, end: float) -> float:
    records = await records_of(database_of(directory))
    check_success(records)
    return max(record.finished_at or 0.0 for record in records) - end
