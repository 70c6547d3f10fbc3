"""The command line of the growth cases: run all, or those that are named."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from supervisor.commands.shared.program import ProgramError
from tests.programs.bench import machine
from tests.programs.bench.errors import BenchError
from tests.programs.bench.figures import Figure, table
from tests.programs.bench.growth import large_jobs, many_blocks, queues, resting, sleepers
from tests.programs.bench.growth.setup import Setup

CASES: Final[Mapping[str, Callable[[Setup], Awaitable[list[Figure]]]]] = {
    "idle": resting.measure,
    "blocks": many_blocks.measure,
    "large": large_jobs.measure,
    "sleepers": sleepers.measure,
    "sleeps": queues.measure_sleeps,
    "queue": queues.measure_long,
}
"""In this order: what needs a quiet machine most comes first."""


async def measure(setup: Setup, cases: list[str], figures: list[Figure]) -> None:
    """Append to `figures` as they come, so that what was measured before a failure is not lost."""
    for name in cases:
        start, neighbours = time.monotonic(), machine.Neighbours()
        print(f"measuring: {name} … ", end="", file=sys.stderr, flush=True)
        directory = setup.directory / name
        directory.mkdir()
        figures += await CASES[name](replace(setup, directory=directory))
        others = f"others used {neighbours.cores_used():.2f} of {machine.cores()} cores"
        print(f"{time.monotonic() - start:.1f} s, {others}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the cases. Returns 0 when every target is met, 1 when one is not, 2 when not all could be measured."""
    arguments = _parser().parse_args()
    cases = [name for name in CASES if name in arguments.cases or not arguments.cases]
    figures: list[Figure] = []
    problem = ""
    load_before, neighbours = machine.load_average(), machine.Neighbours()
    with tempfile.TemporaryDirectory(prefix="neops-bench-", dir=machine.durable_directory()) as name:
        directory = Path(name).resolve()
        try:
            asyncio.run(measure(Setup(directory, arguments.quick, arguments.code), cases, figures))
        except (BenchError, ProgramError) as error:
            problem = str(error)
        facts = machine.facts(directory, load_before, neighbours)
    if figures:
        print(table(figures), end="\n\n")
    print(*(f"{fact}: {value}" for fact, value in facts.items()), sep="\n")
    if arguments.json is not None:
        content = {"figures": [{**asdict(figure), "met": figure.met} for figure in figures], "machine": facts}
        arguments.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if problem:
        print(f"bench: the rest could not be measured. {problem}", file=sys.stderr)
        return 2
    return 1 if any(figure.met is False for figure in figures) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.bench.growth", description="Measure what a job costs when much grows."
    )
    add = parser.add_argument
    add(
        "cases",
        nargs="*",
        choices=[*CASES, []],
        metavar="CASE",
        help=f"which: {', '.join(CASES)} (default: all)",
    )
    add("--quick", action="store_true", help="a small form of each: shows that it runs, not what it costs")
    add(
        "--code",
        type=Path,
        metavar="DIR",
        help="measure the worker of the checkout in DIR instead of this one",
    )
    add("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
