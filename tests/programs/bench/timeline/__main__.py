"""The command line: run jobs one at a time on a marked worker, and print the medians of their steps."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

from supervisor.commands.shared.program import ProgramError
from tests.programs.bench import machine
from tests.programs.bench.engine import check_success, records_of, results
from tests.programs.bench.errors import BenchError
from tests.programs.bench.stage import WorkerOptions, database_of, staged
from tests.programs.bench.timeline.hops import (
    ACCEPTED,
    BLOCK_BEGINS,
    BLOCK_RETURNS,
    IN_SUPERVISOR,
    ORDER_READ,
    PAYLOAD_READ,
)
from tests.programs.bench.timeline.reading import by_job, steps, table

ECHO: Final = "neops_bench/marked_echo:1.0.0"
_HERE: Final = Path(__file__).parent
_WARM_UP_JOBS: Final = 10
_PACE_SECONDS: Final = 0.1


async def measure(directory: Path, number: int) -> list[dict[str, float]]:
    """Return the marks of so many jobs, each with a spare ready. Raises `BenchError` or `ProgramError`."""
    marks_file = directory / "marks"
    path = os.pathsep.join(map(str, (_HERE.parents[3], _HERE / "inside")))
    options = WorkerOptions(
        slots=1,
        poll_seconds=0.05,
        blocks=(str(_HERE / "marked_blocks"),),
        program="marked_worker",
        environment={"PYTHONPATH": path, "BENCH_MARKS_FILE": str(marks_file)},
    )
    async with staged(directory / "timeline", options) as stage:
        for count in range(_WARM_UP_JOBS + number):
            job_ids = await stage.engine.submit(ECHO, [{"text": f"job {count}"}])
            await asyncio.sleep(_PACE_SECONDS)
            # Only one at a time: a mark belongs to the job that was claimed last.
            await stage.engine.wait_for(job_ids, 60)
    records = await records_of(database_of(directory / "timeline"))
    check_success(records)
    # The engine stamps jobs by the calendar; the marks have the clock that nobody sets.
    offset = time.time() - time.monotonic()
    lines = marks_file.read_text(encoding="utf-8").splitlines()
    marks = [(float(at), name) for at, _, name in (line.partition(" ") for line in lines)]
    for record, result in zip(records, results(records), strict=True):
        data = result["data"]
        marks += [(data["order_read"], ORDER_READ), (data["payload_read"], PAYLOAD_READ)]
        marks += [(data["begun"], BLOCK_BEGINS), (data["returned"], BLOCK_RETURNS)]
        marks.append(((record.finished_at or 0.0) - offset, ACCEPTED))
    claims = [(record.claimed_at or 0.0) - offset for record in records]
    return by_job(sorted(marks), claims)[_WARM_UP_JOBS:]


def main() -> int:
    """Return 0 when every step was seen, 1 when one was not, 2 when nothing could be measured."""
    arguments = _parser().parse_args()
    load_before, neighbours = machine.load_average(), machine.Neighbours()
    with tempfile.TemporaryDirectory(prefix="neops-bench-", dir=machine.durable_directory()) as name:
        directory = Path(name).resolve()
        try:
            jobs = asyncio.run(measure(directory, arguments.jobs))
        except (BenchError, ProgramError) as error:
            print(f"bench-timeline: nothing could be measured. {error}", file=sys.stderr)
            return 2
        facts = machine.facts(directory, load_before, neighbours)
    found = steps(jobs)
    missing = [hop.name for hop in IN_SUPERVISOR if hop.name not in {step.name for step in found}]
    print(f"One job, medians of {len(jobs)}, each alone with a spare ready. Marks take about 0.1 ms of it.\n")
    print(table(found), end="\n\n")
    print(*(f"{fact}: {value}" for fact, value in facts.items()), sep="\n")
    if note := machine.note(neighbours):
        print(note)
    if arguments.json is not None:
        content = {"steps": [asdict(step) for step in found], "machine": facts}
        arguments.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if missing:
        print(f"not seen: {', '.join(missing)}. Where do they happen now? See hops.py.", file=sys.stderr)
    return 1 if missing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.bench.timeline", description="Show where the time of one job goes."
    )
    add = parser.add_argument
    add("--jobs", type=int, default=100, metavar="N", help="how many jobs the medians are of (default: 100)")
    add("--json", type=Path, metavar="FILE", help="write the steps to FILE as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
