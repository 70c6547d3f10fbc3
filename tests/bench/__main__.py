"""The command line of the benchmark: measure, print one table, and say by the exit code whether every target is met."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from supervisor.demo.errors import DemoError
from tests.bench import heartbeat, idle, latency, machine, startmethods, throughput
from tests.bench.errors import BenchError
from tests.bench.figures import Figure, Target, table
from tests.bench.sizes import DEFAULT, QUICK, Sizes

TEMPLATE_TO_SPAWN_TARGET: Final = 10
WORKER_TO_ENGINE_TARGET: Final = 0.1


def main() -> int:
    """Run the benchmark. Returns 0 when every target is met, 1 when one is not, 2 when it could not be measured."""
    arguments = _parser().parse_args()
    load_before = machine.load_average()
    try:
        # Not the system's place for temporary files: that may be in memory, where a durable journal costs nothing.
        with tempfile.TemporaryDirectory(prefix="neops-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as name:
            directory = Path(name).resolve()
            figures = asyncio.run(_measure(directory, QUICK if arguments.quick else DEFAULT))
            facts = machine.facts(directory, load_before)
    except (BenchError, DemoError) as error:
        print(f"bench: nothing was measured. {error}", file=sys.stderr)
        return 2
    print(table(figures))
    print()
    for name, value in facts.items():
        print(f"{name}: {value}")
    if arguments.json is not None:
        _write(arguments.json, figures, facts)
    return 1 if any(figure.met is False for figure in figures) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the worker against its targets.")
    parser.add_argument("--quick", action="store_true", help="shorter: at most 40 s instead of two minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    return parser


async def _measure(directory: Path, sizes: Sizes) -> list[Figure]:
    def place(name: str) -> Path:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        return directory / name

    one_slot = await latency.measure(place("latency"), sizes)
    many_slots = await throughput.measure(place("throughput"), sizes)
    engine_alone = await throughput.measure_bare_engine(place("engine"), sizes)
    beats = await heartbeat.measure(place("heartbeat"), sizes)
    costs = await idle.measure(place("idle"), sizes)
    spawned = await startmethods.measure_spawned(place("spawn"), sizes)
    return [
        *one_slot.figures,
        *many_slots.figures,
        *beats,
        *costs,
        Figure("one slot, template", one_slot.jobs_per_second, "jobs/s"),
        Figure("one slot, spawn", spawned, "jobs/s"),
        _ratio("template ÷ spawn", one_slot.jobs_per_second, spawned, TEMPLATE_TO_SPAWN_TARGET),
        Figure("the engine alone, 8 at a time", engine_alone, "jobs/s"),
        _ratio("worker ÷ engine alone", many_slots.jobs_per_second, engine_alone, WORKER_TO_ENGINE_TARGET),
    ]


def _ratio(name: str, value: float, other: float, at_least: float) -> Figure:
    return Figure(name, value / other, "×", Target(at_least, at_least=True))


def _write(path: Path, figures: list[Figure], facts: dict[str, str]) -> None:
    content = {"figures": [{**asdict(figure), "met": figure.met} for figure in figures], "machine": facts}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
