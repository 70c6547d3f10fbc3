"""How fast each worker is, in rounds: every worker in turn, so that whatever disturbs meets all of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.programs.bench import cpu
from tests.programs.bench.against.usage import memory_mb, pids_of_tree
from tests.programs.bench.competitors.running import Running, running
from tests.programs.bench.competitors.workers import Competitor
from tests.programs.bench.distribution import Distribution
from tests.programs.bench.engine import check_success, claim_to_result, jobs_per_second, records_of
from tests.programs.bench.errors import BenchError
from tests.programs.bench.stage import database_of

SLOTS: Final = 8
_WARM_UP_JOBS: Final = 2
_FEWEST_AT_ONCE: Final = 4
_JOB_SECONDS: Final = 60.0


@dataclass(slots=True)
class Speed:
    """What was measured of one worker, over all rounds."""

    latencies: list[float] = field(default_factory=list)
    jobs: int = 0
    burst_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_mb: float | None = None

    @property
    def latency(self) -> Distribution:
        """Claim to result, in seconds, of jobs that came one at a time."""
        return Distribution.of(self.latencies)

    @property
    def jobs_per_second(self) -> float:
        """Results per second of jobs that came all at once."""
        return self.jobs / self.burst_seconds

    @property
    def cpu_ms_per_job(self) -> float:
        """Processor time of all of the worker's processes, in milliseconds."""
        return self.cpu_seconds / self.jobs * 1000


async def measure_round(directory: Path, competitor: Competitor, part: float, speed: Speed) -> None:
    """Give a worker its jobs of one round, and add to `speed`. `part` makes the round smaller."""
    one_at_a_time = max(1, round(competitor.one_at_a_time * part))
    async with running(competitor, directory / "one", 1) as worker:
        await _one_by_one(worker, _WARM_UP_JOBS)
        speed.memory_mb = memory_mb(pids_of_tree(worker.pid))
        await _one_by_one(worker, one_at_a_time)
    records = await records_of(database_of(directory / "one"))
    check_success(records)
    speed.latencies += claim_to_result(records[_WARM_UP_JOBS:])

    at_once = max(_FEWEST_AT_ONCE, round(competitor.at_once * part))
    async with running(competitor, directory / "burst", SLOTS) as worker:
        await _one_by_one(worker, _WARM_UP_JOBS)
        before = cpu.tree_cpu_seconds(worker.pid)
        job_ids = await worker.submit([{"text": f"burst {number}"} for number in range(at_once)])
        await worker.engine.wait_for(job_ids, 300)
        speed.cpu_seconds += cpu.tree_cpu_seconds(worker.pid) - before
    records = await records_of(database_of(directory / "burst"))
    check_success(records)
    counted = records[_WARM_UP_JOBS:]
    speed.jobs += len(counted)
    speed.burst_seconds += len(counted) / jobs_per_second(counted)


async def _one_by_one(worker: Running, jobs: int) -> None:
    for number in range(jobs):
        (job_id,) = await worker.submit([{"text": f"job {number}"}])
        if await worker.job(job_id, _JOB_SECONDS) is None:
            raise BenchError(f"A job of {worker.competitor.name} had no result within {_JOB_SECONDS:g} s.")
