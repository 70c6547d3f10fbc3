"""Counts what jobs use of the machine: in batches with the calibrating program in between, and once with a counter."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.programs.bench.against.counting import usable_counter
from tests.programs.bench.against.usage import at_rest
from tests.programs.bench.counts.calibration import calibrating_seconds
from tests.programs.bench.engine import check_success, records_of
from tests.programs.bench.stage import Stage, WorkerOptions, database_of, staged

ECHO: Final = "neops_bench/echo:1.0.0"
SLOTS: Final = 1
BLOCKS: Final = (str(Path(__file__).parents[1] / "compared_blocks"),)
_WARM_UP_JOBS: Final = 16
_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Plan:
    """How many jobs are counted."""

    batches: int
    jobs_in_batch: int
    counted_jobs: int


DEFAULT: Final = Plan(batches=6, jobs_in_batch=25, counted_jobs=60)
SHORT: Final = Plan(batches=2, jobs_in_batch=6, counted_jobs=10)

SYSTEM_CALLS: Final = "system calls"
FSYNCS: Final = "fsyncs"
FAULTS: Final = "page faults"
CPU: Final = "processor time"
"""As a multiple of that of a fork of the calibrating program."""

FIGURES: Final = (SYSTEM_CALLS, FSYNCS, FAULTS, CPU)


@dataclass(frozen=True, slots=True)
class Counted:
    """What one job uses. System calls and fsyncs are missing where nothing can count them."""

    values: dict[str, float]
    cpu_ms: float
    counter: str
    """What counted the calls; empty where nothing could."""


async def measure(directory: Path, plan: Plan) -> Counted:
    """Run jobs one after the other on a worker with one slot. Raises `BenchError` or `ProgramError`."""
    faults: list[float] = []
    jobs_cpu: list[float] = []
    calibrating = [await calibrating_seconds()]
    counter = await usable_counter(directory)
    values: dict[str, float] = {}
    async with staged(directory / "counts", WorkerOptions(slots=SLOTS, blocks=BLOCKS)) as stage:
        await _run(stage, _WARM_UP_JOBS)
        rest = await at_rest(stage.worker_pid)
        processes = len(rest.pids)
        for _ in range(plan.batches):
            await _run(stage, plan.jobs_in_batch)
            after = await at_rest(stage.worker_pid, processes)
            used = after.usage - rest.usage
            faults.append(used.minor_faults / plan.jobs_in_batch)
            jobs_cpu.append(used.cpu_seconds / plan.jobs_in_batch)
            calibrating.append(await calibrating_seconds())
            rest = await at_rest(stage.worker_pid, processes)
        if counter is not None:
            async with counter.counting(rest.pids, directory) as counts:
                await _run(stage, plan.counted_jobs)
                await at_rest(stage.worker_pid, processes)
            values[SYSTEM_CALLS] = counts.system_calls / plan.counted_jobs
            values[FSYNCS] = counts.fsyncs / plan.counted_jobs
    check_success(await records_of(database_of(directory / "counts")))
    # Others can only add to what a batch takes, so the least is what says most about the code.
    values |= {FAULTS: min(faults), CPU: min(jobs_cpu) / min(calibrating)}
    return Counted(values, min(jobs_cpu) * 1000, "" if counter is None else counter.name)


async def _run(stage: Stage, jobs: int) -> None:
    texts = [{"text": f"job {number}"} for number in range(jobs)]
    await stage.engine.wait_for(await stage.engine.submit(ECHO, texts), _SECONDS)
