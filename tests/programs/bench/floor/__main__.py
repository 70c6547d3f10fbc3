"""The command line: fork with nothing around it, run the worker, and print the two below each other."""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from supervisor.commands.shared.program import ProgramError
from tests.programs.bench import machine
from tests.programs.bench.counts.measuring import BLOCKS, DEFAULT, FAULTS, SHORT, Plan, measure
from tests.programs.bench.errors import BenchError
from tests.programs.bench.floor.forks import CASES

WORKER: Final = "this worker, all its processes"
_ROUNDS: Final = 3
_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Row:
    """What one job takes; the worker's time is that of `make bench-timeline`, which runs jobs one at a time."""

    name: str
    wall_ms: float | None
    cpu_ms: float
    page_faults: float


def rows(plan: Plan, rounds: int, directory: Path) -> list[Row]:
    """Measure both, in turn. Raises `BenchError` or `ProgramError`."""
    forks: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
    cpu_ms: list[float] = []
    faults: list[float] = []
    for number in range(rounds):
        for case, found in _forks().items():
            forks[case] += found
        place = directory / str(number)
        place.mkdir()
        counted = asyncio.run(measure(place, plan))
        cpu_ms.append(counted.cpu_ms)
        faults.append(counted.values[FAULTS])
    return [
        *(Row(case, *(_median(found, name) for name in ("wall_ms", "cpu_ms", "page_faults")))
          for case, found in forks.items()),
        Row(WORKER, None, statistics.median(cpu_ms), statistics.median(faults)),
    ]  # fmt: skip


def _forks() -> dict[str, list[dict[str, float]]]:
    command = [sys.executable, "-m", "tests.programs.bench.floor.forks", *BLOCKS]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if ended.returncode:
        raise BenchError(f"The forks could not be measured: {ended.stderr.strip()[-2000:]}")
    found: dict[str, list[dict[str, float]]] = json.loads(ended.stdout)
    return found


def _median(forks: Sequence[dict[str, float]], name: str) -> float:
    return statistics.median(fork[name] for fork in forks)


def table(found: Sequence[Row]) -> str:
    """Return a line for each."""
    lines = [f"{'of one job':<38}  {'wall, ms':>8}  {'CPU, ms':>8}  {'page faults':>11}"]
    for row in found:
        wall = "" if row.wall_ms is None else f"{row.wall_ms:.2f}"
        lines.append(f"{row.name:<38}  {wall:>8}  {row.cpu_ms:>8.2f}  {row.page_faults:>11.0f}")
    return "\n".join(lines)


def main() -> int:
    """Return 0 when all was measured, 2 when nothing could be."""
    arguments = _parser().parse_args()
    load_before, neighbours = machine.load_average(), machine.Neighbours()
    with tempfile.TemporaryDirectory(prefix="neops-bench-", dir=machine.durable_directory()) as name:
        directory = Path(name).resolve()
        try:
            plan, rounds = (SHORT, 1) if arguments.quick else (DEFAULT, _ROUNDS)
            found = rows(plan, rounds, directory)
        except (BenchError, ProgramError, OSError, subprocess.TimeoutExpired) as error:
            print(f"bench-floor: nothing could be measured. {error}", file=sys.stderr)
            return 2
        facts = machine.facts(directory, load_before, neighbours)
    print(table(found), end="\n\n")
    print("\n".join(f"{key}: {value}" for key, value in facts.items()))
    if arguments.json is not None:
        content = {"rows": [asdict(row) for row in found], "machine": facts}
        arguments.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.bench.floor",
        description="What a process for each job costs at least here, beside what this worker takes.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="few jobs: shows that it runs, not what they cost")
    add("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
