"""The command line: run the jobs, kill workers meanwhile, and compare what all of them have told with what was true."""

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from tests.faults.programs import FaultTestError
from tests.faults.sandbox import alone, still_left
from tests.programs.bench.figures import Figure, Target, table
from tests.programs.scale_out.cluster import SLOTS, Cluster, cluster, victims
from tests.programs.scale_out.looks import Job, evenness, lost_and_twice, wrong_in

SHORT: Final = (6, 200, 2)
LONG: Final = (20, 2000, 5)
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a run."""

    figures: list[Figure]
    wrong: Counter[str]
    """What was not true in answers of workers, and how often."""


async def scale_out(directory: Path, workers: int, jobs: int, killed: int, job_seconds: float) -> Told:
    """Run `jobs` jobs on `workers` workers, of which `killed` are killed and started again meanwhile."""
    async with cluster(directory, workers) as made, aiohttp.ClientSession() as session:
        start_seconds = await made.begin()
        looking = asyncio.create_task(made.look_for_ever())
        try:
            ids, began = await made.submit(session, jobs, job_seconds), time.monotonic()
            whole = jobs * job_seconds / (workers * SLOTS)
            killing = asyncio.create_task(_kill(made, victims(workers, killed), whole / (killed + 1)))
            await made.wait_until_done(session)
            seconds = time.monotonic() - began
            await killing
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking
        found = await made.outcome(session, ids)
        return _told(made, found, start_seconds, seconds)


async def _kill(made: Cluster, numbers: list[int], pause_seconds: float) -> None:
    for number in numbers:
        await asyncio.sleep(pause_seconds)
        await made.kill_one(number)


def _told(made: Cluster, jobs: list[Job], start_seconds: float, seconds: float) -> Told:
    lost, twice = lost_and_twice(jobs, made.runs(), len(jobs))
    wrong = Counter(said for look in made.looks for said in wrong_in(look, jobs))
    seen = {look.worker for look in made.looks}
    figures = [
        Figure("jobs lost", lost, "", Target(0)),
        Figure("jobs run twice", twice, "", Target(0)),
        Figure("untrue answers of status and jobs", wrong.total(), "", Target(0)),
        Figure("running workers that gave no answer", made.silent, "", Target(0)),
        Figure("answers of workers that were compared", len(made.looks), ""),
        Figure("jobs that failed, as their worker was killed", sum(job.success is False for job in jobs), ""),
        Figure("evenness of the workers' shares (1 is best)", evenness(jobs, seen), ""),
        Figure("start of all workers, one by one", start_seconds, "s"),
        Figure("from the submission to the last result", seconds, "s"),
        Figure("pace", len(jobs) / seconds, "jobs/s"),
    ]
    return Told(figures, wrong)


def main() -> int:
    """Run it. Returns 0 when every target is met, 1 when one is not, 2 when it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.scale_out", description=main.__doc__)
    parser.add_argument(
        "--short", action="store_true", help=f"{SHORT[0]} workers, {SHORT[1]} jobs, {SHORT[2]} killed"
    )
    parser.add_argument("--workers", type=int, help=f"default {LONG[0]}")
    parser.add_argument("--jobs", type=int, help=f"default {LONG[1]}")
    parser.add_argument("--killed", type=int, help=f"default {LONG[2]}")
    parser.add_argument(
        "--job-seconds", type=float, default=0.2, help="how long each job takes (default 0.2)"
    )
    given = parser.parse_args()
    defaults = SHORT if given.short else LONG
    chosen = (given.workers, given.jobs, given.killed)
    workers, jobs, killed = (
        default if each is None else each for each, default in zip(chosen, defaults, strict=True)
    )
    if not 0 <= killed <= workers or min(workers, jobs) < 1:
        parser.error("no more workers can be killed than there are, and there is one and one job at least")
    directory = Path(tempfile.mkdtemp(prefix="neops-scale-")).resolve()
    with alone():
        try:
            told = asyncio.run(scale_out(directory, workers, jobs, killed, given.job_seconds))
        except FaultTestError as error:
            print(f"scale-out: {error}", file=sys.stderr)
            return 2
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        figures = [*told.figures, Figure("processes left", len(still_left()), "", Target(0))]
    print(f"{workers} workers of {SLOTS} slots, one engine, {jobs} jobs, {killed} workers killed")
    print(table(figures))
    for said, times in told.wrong.most_common(_SHOWN):
        print(f"{times} times: a worker {said}")
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
