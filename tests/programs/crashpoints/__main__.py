"""The command line of the crash points: list them, try each, print a table."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.faults.sandbox import alone, still_left
from tests.programs.crashpoints.one_point import Outcome, list_points, try_point

TRIES: Final = 3
"""A point that a run has not come by, since its steps fell otherwise in time, is tried again."""


async def _run(directory: Path, only: str, every: int, at_once: int) -> list[Outcome]:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    points = [only] if only else (await list_points(directory / "dry"))[::every]
    slots = asyncio.Semaphore(at_once)
    width = max(map(len, points))
    outcomes: list[Outcome] = []

    async def one(number: int, point: str) -> None:
        async with slots:
            for attempt in range(TRIES):
                place = directory / f"point-{number}-{attempt}"
                outcome = await try_point(place, point)
                if outcome.was_killed or outcome.problems:
                    break
                shutil.rmtree(place)
        if not outcome.problems:
            shutil.rmtree(place, ignore_errors=True)
        outcomes.append(outcome)
        holds = "does NOT hold" if outcome.problems else "holds" if outcome.was_killed else "not reached"
        print(f"{point:<{width}}  {holds:<13}  {outcome.note}", flush=True)
        for problem in outcome.problems:
            print(f"    {problem}  ({place.name})", flush=True)

    async with asyncio.TaskGroup() as group:
        for number, point in enumerate(points):
            group.create_task(one(number, point))
    return outcomes


def main() -> int:
    """Try every point. Returns 0 when all hold, 1 when one does not or was not reached, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.crashpoints", description=main.__doc__)
    parser.add_argument("--point", default="", help="only this one, as the table names it")
    parser.add_argument("--every", type=int, default=1, help="only each n-th point")
    parser.add_argument("--at-once", type=int, default=(os.cpu_count() or 1) + 1, help="points at a time")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="neops-crashpoints-")).resolve()
    begun = time.monotonic()
    with alone():
        try:
            outcomes = asyncio.run(_run(directory, arguments.point, arguments.every, arguments.at_once))
        except asyncio.CancelledError:
            print("crashpoints: interrupted; everything it had started is gone.", file=sys.stderr)
            shutil.rmtree(directory, ignore_errors=True)
            return 130
        left = still_left()
    broken = [outcome for outcome in outcomes if outcome.problems]
    missed = [outcome for outcome in outcomes if not outcome.was_killed and not outcome.problems]
    print(
        f"\n{len(outcomes)} points in {time.monotonic() - begun:.0f} s: "
        f"{len(outcomes) - len(broken) - len(missed)} hold, {len(broken)} do not, {len(missed)} were not reached, "
        f"{len(left)} process(es) left"
    )
    if broken:
        print(
            f"Their logs are in {directory}. Once more: make crashpoints ARGS=\"--point '{broken[0].point}'\""
        )
    else:
        shutil.rmtree(directory)
    return 1 if broken or missed or left else 0


if __name__ == "__main__":
    sys.exit(main())
