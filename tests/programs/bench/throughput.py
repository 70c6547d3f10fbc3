"""Jobs per second with eight slots, each job in a process of its own, and the engine's own rate beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sdk.devengine import JobRecord
from tests.programs.bench import cpu
from tests.programs.bench.bare import run_bare_worker
from tests.programs.bench.engine import check_success, jobs_per_second, records_of, results
from tests.programs.bench.figures import Figure, Target
from tests.programs.bench.sizes import Sizes
from tests.programs.bench.stage import WHICH_PROCESS, WorkerOptions, database_of, staged

SLOTS: Final = 8
WARM_UP_JOBS: Final = 24
JOBS_PER_SECOND_TARGET: Final = 60


@dataclass(frozen=True, slots=True)
class Throughput:
    """The figures, and the rate."""

    figures: list[Figure]
    jobs_per_second: float


async def measure(directory: Path, sizes: Sizes) -> Throughput:
    """Run many jobs at once, and count the processes that they ran in."""
    async with staged(directory, WorkerOptions(slots=SLOTS)) as stage:
        await stage.engine.wait_for(await stage.engine.submit(WHICH_PROCESS, _texts(WARM_UP_JOBS)), 30)
        before = cpu.tree_cpu_seconds(stage.worker_pid)
        job_ids = await stage.engine.submit(WHICH_PROCESS, _texts(sizes.throughput_jobs))
        await stage.engine.wait_for(job_ids, 90)
        cpu_seconds = cpu.tree_cpu_seconds(stage.worker_pid) - before
    records = await records_of(database_of(directory))
    check_success(records)
    counted = records[WARM_UP_JOBS:]
    rate = jobs_per_second(counted)
    figures = [
        Figure(f"throughput, {SLOTS} slots", rate, "jobs/s", Target(JOBS_PER_SECOND_TARGET, at_least=True)),
        Figure(
            f"processes that ran {len(counted)} jobs",
            processes_of(counted),
            "",
            Target(len(counted), at_least=True),
        ),
        Figure("CPU of the whole worker, per job", cpu_seconds / len(counted) * 1000, "ms"),
    ]
    return Throughput(figures, rate)


async def measure_bare_engine(directory: Path, sizes: Sizes) -> float:
    """Return the jobs per second that the engine gives a worker which runs nothing."""
    async with staged(directory, None) as stage:
        await stage.engine.submit(WHICH_PROCESS, _texts(sizes.bare_jobs))
        await run_bare_worker(stage.engine, sizes.bare_jobs, SLOTS)
    records = await records_of(database_of(directory))
    check_success(records)
    return jobs_per_second(records)


def processes_of(records: Sequence[JobRecord]) -> int:
    """Return in how many processes these jobs ran. A pid may be used again: its start is part of what is counted."""
    data = [result["data"] for result in results(records)]
    return len({(one["pid"], one["started_ticks"]) for one in data})


def _texts(count: int) -> list[dict[str, str]]:
    return [{"text": f"job {number}"} for number in range(count)]
