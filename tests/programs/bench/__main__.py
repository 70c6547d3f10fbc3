"""The command line of the benchmark: measure this version against its targets, or against another version."""

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from supervisor.commands.shared.program import ProgramError
from tests.programs.bench import heartbeat, idle, latency, machine, startmethods, throughput
from tests.programs.bench.against import plan as against
from tests.programs.bench.against.command import Request
from tests.programs.bench.against.command import main as compare
from tests.programs.bench.errors import BenchError
from tests.programs.bench.figures import Figure, Target, table
from tests.programs.bench.sizes import DEFAULT, QUICK, Sizes

TEMPLATE_TO_SPAWN_TARGET: Final = 10
"""The template is there to be this much faster than an interpreter for each job (docs/adr/0002)."""

T = TypeVar("T")


def main() -> int:
    """Run the benchmark. Returns 0 when every target is met, 1 when one is not, 2 when not all could be measured.

    A comparison has no targets: it returns 0 whatever the ratios are.
    """
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.pairs is not None and arguments.against is None:
        parser.error("argument --pairs: only a comparison has pairs: name a commit by --against")
    if arguments.against is not None:
        return _compare(arguments)
    load_before, neighbours = machine.load_average(), machine.Neighbours()
    figures: list[Figure] = []
    problem = ""
    with tempfile.TemporaryDirectory(prefix="neops-bench-", dir=machine.durable_directory()) as name:
        directory = Path(name).resolve()
        try:
            asyncio.run(_measure(directory, QUICK if arguments.quick else DEFAULT, figures))
        except (BenchError, ProgramError) as error:
            problem = str(error)
        facts = machine.facts(directory, load_before, neighbours)
    _show(figures, facts)
    if arguments.json is not None:
        content = {"figures": [{**asdict(figure), "met": figure.met} for figure in figures], "machine": facts}
        arguments.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if note := machine.note(neighbours):
        print(note)
    if problem:
        print(f"bench: the rest could not be measured. {problem}", file=sys.stderr)
        return 2
    return 1 if any(figure.met is False for figure in figures) else 0


def _compare(arguments: argparse.Namespace) -> int:
    plan = against.SHORT if arguments.quick else against.DEFAULT
    plan = replace(plan, pairs=arguments.pairs or plan.pairs)
    with tempfile.TemporaryDirectory(prefix="neops-bench-", dir=machine.durable_directory()) as name:
        flags = tuple(shlex.split(arguments.present_flags))
        request = Request(arguments.against, arguments.client, plan, arguments.json, flags)
        return compare(request, Path(name).resolve())


def _show(figures: list[Figure], facts: dict[str, str]) -> None:
    if figures:
        print(table(figures), end="\n\n")
    for fact, value in facts.items():
        print(f"{fact}: {value}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.bench", description="Measure the worker against its targets."
    )
    add = parser.add_argument
    add(
        "--quick",
        action="store_true",
        help="at most 40 s, instead of two minutes; with --against, one short pair",
    )
    add("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    add("--against", metavar="COMMIT", help="compare with this commit, in turn; takes eight minutes")
    add(
        "--pairs",
        type=_at_least_one,
        metavar="N",
        help="how many pairs of runs a comparison has (default: 14)",
    )
    add(
        "--present-flags",
        default="",
        metavar="FLAGS",
        help="in a comparison, further flags of this version's worker, as one text",
    )
    add("--client", default="stable", help="the engine client of both versions: stable (default) or next")
    return parser


def _at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


async def _measure(directory: Path, sizes: Sizes, figures: list[Figure]) -> None:
    """Append to `figures` as they come, so that what was measured before a failure is not lost."""
    one_slot = await _timed("claim to result", latency.measure(directory / "latency", sizes))
    figures += one_slot.figures
    many_slots = await _timed("throughput", throughput.measure(directory / "throughput", sizes))
    figures += many_slots.figures
    figures += await _timed("heartbeat", heartbeat.measure(directory / "heartbeat", sizes))
    figures += await _timed("idle worker", idle.measure(directory / "idle", sizes))
    template = one_slot.jobs_per_second
    spawn = await _timed("spawn", startmethods.measure_spawned(directory / "spawn", sizes))
    figures += [
        Figure("one slot, template", template, "jobs/s"),
        Figure("one slot, spawn", spawn, "jobs/s"),
        Figure(
            "  template ÷ spawn", template / spawn, "times", Target(TEMPLATE_TO_SPAWN_TARGET, at_least=True)
        ),
    ]
    engine = await _timed("the engine alone", throughput.measure_bare_engine(directory / "engine", sizes))
    figures += [
        Figure(f"the engine alone, {throughput.SLOTS} at a time", engine, "jobs/s"),
        Figure("  worker ÷ engine alone", many_slots.jobs_per_second / engine, "times"),
    ]


async def _timed(name: str, measurement: Coroutine[Any, Any, T]) -> T:
    start, neighbours = time.monotonic(), machine.Neighbours()
    print(f"measuring: {name} … ", end="", file=sys.stderr, flush=True)
    result = await measurement
    text = f"{time.monotonic() - start:.1f} s, others used {neighbours.cores_used():.2f} of {machine.cores()} cores"
    print(text, file=sys.stderr, flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
