"""The command line: count, compare with the limits, and say what is to be done about a figure that has risen."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from supervisor.commands.shared.program import ProgramError
from tests.programs.bench import machine
from tests.programs.bench.counts import limits
from tests.programs.bench.counts.limits import Compared
from tests.programs.bench.counts.measuring import DEFAULT, SHORT, Counted, Plan, measure
from tests.programs.bench.errors import BenchError

_WHAT_TO_DO: Final = """\
A job uses more of the machine than it did. `make bench AGAINST=<the commit before>` shows by how much; under
`strace -f -c` the system calls have names. Many `landlock_add_rule` are no rise: each job makes a rule for every file
that lies beside this checkout, or beside a directory above it; try a directory with fewer. Where the rise is wanted:
`make bench-counts ARGS=--set-limits`, and the commit says what is got for it."""


def main() -> int:
    """Count. Returns 0 when no figure is above its limit, 1 when one is, 2 when nothing could be counted."""
    arguments = _parser().parse_args()
    begun, load_before, neighbours = time.monotonic(), machine.load_average(), machine.Neighbours()
    try:
        counted = _count(SHORT if arguments.quick else DEFAULT)
        # A neighbour may have got in between: what is above a limit has to be so twice.
        compared = _compared(counted)
        if any(one.is_above for one in compared) and not (arguments.set_limits or arguments.quick):
            print("Above a limit; counted once more.", file=sys.stderr)
            counted = _least(counted, _count(DEFAULT))
            compared = _compared(counted)
    except (BenchError, ProgramError) as error:
        print(f"bench-counts: nothing could be counted. {error}", file=sys.stderr)
        return 2
    facts = machine.facts(Path(machine.durable_directory()).resolve(), load_before, neighbours)
    _show(counted, compared, f"{time.monotonic() - begun:.0f} s, {facts['cores that others used meanwhile']}")
    if arguments.json is not None:
        content = {
            "compared": [asdict(one) for one in compared],
            "cpu_ms": counted.cpu_ms,
            "machine": facts,
        }
        arguments.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if arguments.set_limits:
        limits.write(counted.values, limits.this_python())
        print(f"The limits of Python {limits.this_python()} are set to these figures, with room above them.")
        return 0
    return _judged(counted, compared)


def _show(counted: Counted, compared: list[Compared], others: str) -> None:
    print(table(compared))
    counter = counted.counter or "nothing"
    print(f"\nProcessor time of a job: {counted.cpu_ms:.1f} ms. Calls were counted by {counter}.")
    print(f"Python {limits.this_python()}; {others} cores were used by others.")


def _judged(counted: Counted, compared: list[Compared]) -> int:
    """Say what the figures mean, and return the exit code."""
    if not counted.counter:
        print("note: neither perf nor strace can be used here, so system calls and fsyncs were not counted.")
    if limits.this_python() not in limits.read():
        print("note: there are no limits for this Python, so nothing was compared.")
    if far := ", ".join(one.name for one in compared if one.is_far_below):
        print(f"note: far below the limit: {far}. Set it anew, so that the gain is kept: --set-limits")
    if any(one.is_above for one in compared):
        print(f"\n{_WHAT_TO_DO}")
        return 1
    return 0


def _count(plan: Plan) -> Counted:
    with tempfile.TemporaryDirectory(prefix="neops-bench-", dir=machine.durable_directory()) as name:
        return asyncio.run(measure(Path(name).resolve(), plan))


def _compared(counted: Counted) -> list[Compared]:
    return limits.compare(counted.values, limits.read().get(limits.this_python(), {}))


def _least(one: Counted, other: Counted) -> Counted:
    values = {name: min(value, other.values.get(name, value)) for name, value in one.values.items()}
    return Counted(values, min(one.cpu_ms, other.cpu_ms), one.counter)


def table(compared: Sequence[Compared]) -> str:
    """Return a line for each figure. One that is above its limit begins with `NO:`, which `.ci/run` repeats."""
    lines = [f"{'of one job':<16}  {'counted':>9}  {'limit':>9}"]
    for one in compared:
        limit = "none" if one.limit is None else f"{one.limit:.2f}"
        line = f"{one.name:<16}  {one.value:>9.2f}  {limit:>9}"
        if one.is_above and one.limit:
            line = f"NO: {line}  {one.value / one.limit - 1:+.0%} above the limit"
        lines.append(line)
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.bench.counts",
        description="Count what a job uses of the machine, and compare with limits.toml.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="few jobs: shows that it runs, not what a job uses")
    add("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    add("--set-limits", action="store_true", help="set the limits of this Python to what is counted now")
    return parser


if __name__ == "__main__":
    sys.exit(main())
