"""The template against a new interpreter for each job: a ratio, which says the same on every machine."""

from pathlib import Path
from typing import Final

from tests.programs.bench.engine import check_success, jobs_per_second, records_of
from tests.programs.bench.sizes import Sizes
from tests.programs.bench.stage import ECHO, WorkerOptions, database_of, staged

READY_BEFORE: Final = 2
"""How many children a worker with one slot has ready before its first job. They are also replaced so many at a time, so
that results come in pairs: a count that is no multiple of it makes the rate up to 40 % too good (measured)."""


async def measure_spawned(directory: Path, sizes: Sizes) -> float:
    """Return the jobs per second with one slot when each child is a new interpreter."""
    async with staged(directory, WorkerOptions(slots=1, start_method="spawn")) as stage:
        # The first jobs find children that were ready before they came: they are run, and not counted.
        batch = [{"text": f"spawned {number}"} for number in range(READY_BEFORE + sizes.spawned_jobs)]
        await stage.engine.wait_for(await stage.engine.submit(ECHO, batch), 60)
    records = await records_of(database_of(directory))
    check_success(records)
    return jobs_per_second(records, leave_out=READY_BEFORE)
