"""One pair of measurements: both versions started anew, and each measured in turn with the other, there and back."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from sdk.devengine import JobRecord
from tests.programs.bench.against.counting import Counter
from tests.programs.bench.against.plan import Plan, there_and_back
from tests.programs.bench.against.side import Side, side_of, worker_of
from tests.programs.bench.against.usage import memory_mb
from tests.programs.bench.against.versions import Version
from tests.programs.bench.distribution import Distribution
from tests.programs.bench.engine import check_success, claim_to_result, jobs_per_second, records_of, results
from tests.programs.bench.errors import BenchError
from tests.programs.bench.stage import database_of

SLOTS: Final = 8
_WARM_UP_JOBS: Final = 8
_PACE_SECONDS: Final = 0.1
_POLL_SECONDS: Final = 0.05
"""With one slot: often, so that a job does not wait a second to be claimed; that wait is in no figure."""

_TURNS: Final = 2
_PACED, _ONE_BY_ONE, _COUNTED, _BURST = "paced", "one by one", "counted", "burst"


async def measure_pair(
    directory: Path, versions: tuple[Version, Version], plan: Plan, counter: Counter | None
) -> list[dict[str, float]]:
    """Measure both versions, in this order, and return the values of each by the names of `figures`."""
    directory.mkdir()
    async with AsyncExitStack() as running:
        first, second = [
            await running.enter_async_context(side_of(version, directory / place))
            for place, version in zip(("a", "b"), versions, strict=True)
        ]
        await _one_slot(first, second, plan, counter)
        await _many_slots(first, second, plan)
    for side in (first, second):
        await _evaluate(side)
    return [first.values, second.values]


async def _one_slot(first: Side, second: Side, plan: Plan, counter: Counter | None) -> None:
    async with AsyncExitStack() as running:
        for side in (first, second):
            side.starts.append(await running.enter_async_context(worker_of(side, 1, _POLL_SECONDS)))
        await _warm_up(first, second)
        # Both are there, and share the pages of common packages: each has less than it would have alone.
        for side in (first, second):
            memory = memory_mb((await side.rest()).pids)
            if memory is not None:
                side.values["memory"] = memory
        # One job of each in turn, so that whatever disturbs for more than a moment disturbs both.
        for side in there_and_back(first, second, plan.paced_jobs):
            await side.submit(_PACED, 1)
            await asyncio.sleep(_PACE_SECONDS)
        for side in (first, second):
            await side.engine.wait_for(side.jobs[_PACED][-1], 60)
        for side in there_and_back(first, second, _TURNS):
            await side.run(_ONE_BY_ONE, plan.one_by_one_jobs // _TURNS)
        if counter is not None:
            for side in (first, second):
                await _count(side, plan.counted_jobs, counter)


async def _many_slots(first: Side, second: Side, plan: Plan) -> None:
    async with AsyncExitStack() as running:
        # The other way round: who starts second does so beside a worker, and each is that once.
        for side in (second, first):
            side.starts.append(await running.enter_async_context(worker_of(side, SLOTS, 1.0)))
        await _warm_up(first, second)
        for side in there_and_back(first, second, _TURNS):
            await side.run(_BURST, plan.burst_jobs // _TURNS)


async def _warm_up(first: Side, second: Side) -> None:
    """Run the first jobs of each, which pay for connections and for code that runs for the first time."""
    for side in (first, second):
        await side.engine.wait_for(await side.submit("warm-up", _WARM_UP_JOBS), 60)
    for side in (first, second):
        await side.rest()


async def _count(side: Side, jobs: int, counter: Counter) -> None:
    rest = await side.rest()
    async with counter.counting(rest.pids, side.directory) as counts:
        await side.engine.wait_for(await side.submit(_COUNTED, jobs), 120)
        await side.rest()
    side.values["system calls"] = counts.system_calls / jobs
    side.values["fsyncs"] = counts.fsyncs / jobs


async def _evaluate(side: Side) -> None:
    """Take the times from the engine's file, which has its stamps in full, and see that all ran the right code."""
    records = await records_of(database_of(side.directory))
    check_success(records)
    _check_origin(side, records)
    by_id = {record.job_id: record for record in records}

    def batches(measurement: str) -> list[list[JobRecord]]:
        return [[by_id[job_id] for job_id in job_ids] for job_ids in side.jobs[measurement]]

    paced = Distribution.of(claim_to_result([record for batch in batches(_PACED) for record in batch]))
    start = sum(side.starts) / len(side.starts)
    side.values |= {"start": start * 1000, "p50": paced.p50 * 1000, "p99": paced.p99 * 1000}
    for measurement in (_ONE_BY_ONE, _BURST):
        runs = batches(measurement)
        jobs = sum(map(len, runs))
        side.values |= {
            f"{measurement} rate": jobs / sum(len(run) / jobs_per_second(run) for run in runs),
            f"{measurement} CPU": sum(use.cpu_seconds for use in side.usage[measurement]) / jobs * 1000,
            f"{measurement} faults": sum(use.minor_faults for use in side.usage[measurement]) / jobs,
        }


def _check_origin(side: Side, records: list[JobRecord]) -> None:
    for result in results(records):
        if not Path(result["data"]["code"]).is_relative_to(side.version.root):
            raise BenchError(
                f"A job of {side.version.name} ran {result['data']['code']}, which is not its code."
            )
