"""The command line of the comparison with other workers."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from supervisor.commands.shared.program import ProgramError
from tests.programs.bench import machine
from tests.programs.bench.competitors.behaviour import observe
from tests.programs.bench.competitors.report import as_text, behaviour_rows, speed_rows
from tests.programs.bench.competitors.speed import Speed, measure_round
from tests.programs.bench.competitors.workers import KEYS, OF_THE_OTHER_SDK, Competitor, competitors
from tests.programs.bench.errors import BenchError
from tests.programs.compat import environments
from tests.programs.compat.processes import CompatError


def main() -> int:
    """Return 0 when all that can run here was measured, 2 when something could not be."""
    arguments = _parser().parse_args()
    load_before, neighbours = machine.load_average(), machine.Neighbours()
    with tempfile.TemporaryDirectory(prefix="neops-bench-", dir=machine.durable_directory()) as name:
        directory = Path(name).resolve()
        environment = (arguments.reference or directory / "reference").resolve()
        wanted = set(arguments.workers or KEYS)
        missing = _missing(environment) if wanted & OF_THE_OTHER_SDK else ""
        workers = [worker for worker in competitors(environment, missing) if worker.key in wanted]
        speeds, seen, problems = asyncio.run(_measure(directory, workers, arguments))
        facts = machine.facts(directory, load_before, neighbours)
    speed, behaviour = speed_rows(workers, speeds), behaviour_rows(workers, seen)
    print(as_text(speed), end="\n\n")
    if seen:
        print(as_text(behaviour), end="\n\n")
    print(*(f"{fact}: {value}" for fact, value in facts.items()), sep="\n")
    if note := machine.note(neighbours):
        print(note)
    if arguments.json is not None:
        content = {
            "speed": speed,
            "behaviour": behaviour,
            "latencies": {key: asdict(one)["latencies"] for key, one in speeds.items()},
            "machine": facts,
        }
        arguments.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 2 if problems else 0


def _missing(environment: Path) -> str:
    """Install the other worker unless it is there. Returns why it can't be had, or nothing."""
    if environments.is_usable(environment):
        return ""
    try:
        environments.make(environment)
    except CompatError as error:
        return str(error).splitlines()[0][:100]
    return ""


async def _measure(
    directory: Path, workers: list[Competitor], arguments: argparse.Namespace
) -> tuple[dict[str, Speed], dict[str, dict[str, str]], list[str]]:
    speeds = {worker.key: Speed() for worker in workers}
    seen: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    able = [worker for worker in workers if not worker.missing]
    for number in range(0 if arguments.only_behaviour else arguments.rounds):
        # There and back, so that a steady drift of the machine meets all alike.
        for worker in able if number % 2 == 0 else able[::-1]:
            place = directory / f"round-{number}" / worker.key
            part = 0.25 if arguments.quick else 1.0
            await _told(
                f"round {number + 1}, {worker.key}",
                measure_round(place, worker, part, speeds[worker.key]),
                problems,
            )
    for worker in [] if arguments.only_speed else able:
        found = await _told(
            f"blocks that go wrong, {worker.key}",
            observe(directory / "behaviour" / worker.key, worker),
            problems,
        )
        if found is not None:
            seen[worker.key] = found
    return speeds, seen, problems


async def _told(what: str, measuring: Any, problems: list[str]) -> Any:
    start = time.monotonic()
    print(f"{what} … ", end="", file=sys.stderr, flush=True)
    result = None
    try:
        result = await measuring
    except (BenchError, ProgramError) as error:
        problems.append(f"bench: {what}: {error}")
    print(f"{time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.bench.competitors",
        description="Compare this worker with others, in turn.",
    )
    add = parser.add_argument
    add("workers", nargs="*", choices=[*KEYS, []], metavar="WORKER", help=f"{', '.join(KEYS)} (default: all)")
    add(
        "--reference",
        type=Path,
        metavar="DIR",
        help="where the other SDK is installed, as by `make reference`",
    )
    add("--rounds", type=int, default=3, metavar="N", help="how often each worker has its turn (default: 3)")
    add("--quick", action="store_true", help="few jobs: shows that it runs, not how fast")
    add("--only-speed", action="store_true", help="leave out the blocks that go wrong")
    add("--only-behaviour", action="store_true", help="only the blocks that go wrong")
    add("--json", type=Path, metavar="FILE", help="write what was measured to FILE as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
