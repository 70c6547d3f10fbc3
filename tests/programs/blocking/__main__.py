"""The command line: jobs that await, jobs that block, and the blocks of the library, and who of them is reported."""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sdk.testing.devices import EmulatedIos
from tests.faults.sandbox import alone, still_left
from tests.hosting.hosting import hosted
from tests.programs.bench.figures import Figure, Target, table
from tests.programs.blocking import campaign
from tests.programs.blocking.cases import Case, behaving, library, misbehaving

REPEATS = 5
"""How often the blocks that misbehave are run."""


def main() -> int:
    """Run the campaign. Returns 0 when who blocks was reported once for each line and nobody else was, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.blocking", description=main.__doc__)
    parser.add_argument("--jobs", type=int, default=1000, help="jobs that await properly (default 1000)")
    parser.add_argument("--threshold", type=float, default=0.5, help="--blocking-seconds (default 0.5)")
    arguments = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # of the device, which a client has left
    with alone(), tempfile.TemporaryDirectory(prefix="neops-blocking-") as name:
        figures = asyncio.run(_run(Path(name).resolve(), arguments.jobs, arguments.threshold))
        left = still_left()
        figures.append(Figure("processes left", len(left), "", Target(0)))
    for process in left:
        print(f"NO: left over: {process}")
    print(table(figures))
    return 1 if any(figure.met is False for figure in figures) else 0


async def _run(directory: Path, jobs: int, threshold: float) -> list[Figure]:
    async with EmulatedIos("admin", "never-to-be-seen-1") as device:
        shipped = library(device.port, device.as_context())
        return await asyncio.to_thread(_in_host, directory, jobs, threshold, shipped)


def _in_host(directory: Path, jobs: int, threshold: float, shipped: Sequence[Case]) -> list[Figure]:
    limits = {"max_job_seconds": 90.0, "blocking_seconds": threshold}
    repeats = min(REPEATS, 1 + jobs // 200)
    with hosted(directory / "host", sources=campaign.SOURCES, spares=4, limits=limits) as host:
        begun = time.monotonic()
        good = _judged(campaign.run(host, behaving(jobs)))
        seconds = time.monotonic() - begun
        ours = _judged(campaign.run(host, [*shipped] * repeats))
        bad = _judged(campaign.run(host, misbehaving() * repeats, slots=2))
    return [
        Figure("jobs that await properly", len(good), ""),
        Figure("  false reports", sum(len(each.places) for each in good), "", Target(0)),
        Figure("  not completed", sum(each.cause != "completed" for each in good), "", Target(0)),
        Figure("  pace", len(good) / seconds, "jobs/s"),
        Figure("  load average at the end", os.getloadavg()[0], ""),
        Figure("jobs of the shipped blocks", len(ours), ""),
        Figure("  false reports", sum(len(each.places) for each in ours), "", Target(0)),
        Figure("jobs that block", len(bad), ""),
        Figure("  lines that block", sum(len(each.case.places) for each in bad), ""),
        Figure(
            "  jobs not reported as they must be", sum(bool(each.problems) for each in bad), "", Target(0)
        ),
    ]


def _judged(seen: list[campaign.Seen]) -> list[campaign.Seen]:
    for each in seen:
        for problem in each.problems:
            print(f"NO: {each.case.name}: {problem}")
        if each.problems and not each.case.places:
            print("\n".join(each.warnings))
    return seen


if __name__ == "__main__":
    sys.exit(main())
