"""The template against a new interpreter for each job: a ratio, which says the same on every machine."""

from pathlib import Path

from tests.bench.engine import check_success, jobs_per_second, records_of
from tests.bench.sizes import Sizes
from tests.bench.stage import ECHO, WorkerOptions, database_of, staged


async def measure_spawned(directory: Path, sizes: Sizes) -> float:
    """Return the jobs per second with one slot when each child is a new interpreter."""
    async with staged(directory, WorkerOptions(slots=1, start_method="spawn")) as stage:
        # The first job finds a child that was ready before it came: it is run, and not counted.
        batch = [{"text": f"spawned {number}"} for number in range(sizes.spawned_jobs + 1)]
        await stage.engine.wait_for(await stage.engine.submit(ECHO, batch), 60)
    records = await records_of(database_of(directory))
    check_success(records)
    return jobs_per_second(records, leave_out=1)
