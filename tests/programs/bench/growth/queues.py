"""A queue of 5,000 jobs: is the last thousand as fast as the first? And short sleeps: how many of those possible?"""

from typing import Final

from tests.programs.bench import cpu
from tests.programs.bench.engine import check_success, jobs_per_second, records_of
from tests.programs.bench.figures import Figure, Target
from tests.programs.bench.growth.setup import ECHO, SLEEP, Setup
from tests.programs.bench.stage import database_of, staged

SLOTS: Final = 8
LAST_BY_FIRST_TARGET: Final = 0.95
SLEEP_RATE_TARGET: Final = 9.6
_WARM_UP_JOBS: Final = 24
_SLEEP_SLOTS: Final = 2
_SLEEP_SECONDS: Final = 0.2


async def measure_long(setup: Setup) -> list[Figure]:
    """Submit all jobs at once, and compare the first fifth with the last."""
    number = setup.count(5000, 250)
    directory = setup.directory / "queue"
    async with staged(directory, setup.worker(slots=SLOTS)) as stage:
        await stage.engine.wait_for(await stage.engine.submit(ECHO, _texts(_WARM_UP_JOBS)), 30)
        before = cpu.tree_cpu_seconds(stage.worker_pid)
        await stage.engine.wait_for(await stage.engine.submit(ECHO, _texts(number)), 300)
        seconds = cpu.tree_cpu_seconds(stage.worker_pid) - before
    records = await records_of(database_of(directory))
    check_success(records)
    counted, part = records[_WARM_UP_JOBS:], number // 5
    finished = sorted(record.finished_at or 0.0 for record in counted)
    begun = min(record.claimed_at or 0.0 for record in counted)
    first = part / (finished[part - 1] - begun)
    last = part / (finished[-1] - finished[-part - 1])
    return [
        Figure(f"queue of {number:,} jobs, {SLOTS} slots", jobs_per_second(counted), "jobs/s"),
        Figure(f"  the first {part:,}", first, "jobs/s"),
        Figure(f"  the last {part:,}", last, "jobs/s"),
        Figure("  last ÷ first", last / first, "times", Target(LAST_BY_FIRST_TARGET, at_least=True)),
        Figure("  CPU of the whole worker, per job", seconds / number * 1000, "ms"),
    ]


async def measure_sleeps(setup: Setup) -> list[Figure]:
    """Run jobs that sleep for a fifth of a second: with two slots, ten a second are possible."""
    directory = setup.directory / "sleeps"
    async with staged(directory, setup.worker(slots=_SLEEP_SLOTS, poll_seconds=0.05)) as stage:
        jobs = [{"seconds": _SLEEP_SECONDS}] * setup.count(100, 20)
        await stage.engine.wait_for(await stage.engine.submit(SLEEP, jobs), 120)
    records = await records_of(database_of(directory))
    check_success(records)
    name = f"{len(records)} times sleep({_SLEEP_SECONDS}), {_SLEEP_SLOTS} slots, of 10"
    return [Figure(name, jobs_per_second(records), "jobs/s", Target(SLEEP_RATE_TARGET, at_least=True))]


def _texts(count: int) -> list[dict[str, str]]:
    return [{"text": f"job {number}"} for number in range(count)]
