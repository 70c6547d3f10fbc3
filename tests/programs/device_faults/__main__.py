"""`python -m tests.programs.device_faults`: every bad input once; exit code 0 when each ended as it must."""

import argparse
import secrets
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from sdk.testing.loop_thread import LoopThread
from tests.hosting.hosting import hosted
from tests.programs.bench.machine import load_average
from tests.programs.device_faults.cases import GROUPS, Case
from tests.programs.device_faults.change_judging import ChangeRow
from tests.programs.device_faults.changes import run_change_groups
from tests.programs.device_faults.judging import Row, judge, table_of
from tests.programs.device_faults.running import (
    ASYNC,
    AT_A_TIME,
    ESCAPES,
    SYNC,
    Form,
    Lateness,
    run_cases,
    sources,
)

_WIDTH = 180


def main() -> int:
    """Run the cases. Returns 0 when all is as it must be, 1 when not."""
    arguments = _parser().parse_args()
    # Of the device that offers nothing newer: that is its fault.
    warnings.filterwarnings("ignore", message="Diffie-Hellman over finite fields")
    forms = (ASYNC,) if arguments.short else (ASYNC, SYNC, ESCAPES)
    begun, load = time.monotonic(), load_average()
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    with tempfile.TemporaryDirectory(prefix="neops-device-faults-") as name:
        rows = _run(Path(name), console, forms, arguments.only)
    failed = [row for row in rows if row.problems]
    for row in failed:
        form = f" ({row.seen.form.name})" if isinstance(row, Row) else ""
        for problem in row.problems:
            console.print(f"NO: {row.seen.case.name}{form}: {problem}", highlight=False, markup=False)
    worst = max((row.over_seconds for row in rows if row.over_seconds is not None), default=0.0)
    console.print(
        f"{len(rows)} calls, {len(failed)} not as they must be; at most {worst:+.2f} s over the limit; "
        f"{AT_A_TIME} at a time, {time.monotonic() - begun:.0f} s, load average before: {load:.2f}",
        highlight=False,
    )
    return 1 if failed or not rows else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.device_faults",
        description="Have blocks meet every bad input that a device can be.",
    )
    parser.add_argument("--short", action="store_true", help="only calls with `await`, as for the gate")
    parser.add_argument("only", nargs="*", metavar="NAME", help="bad inputs to run, by a part of their names")
    return parser


def _run(
    directory: Path, console: Console, forms: Sequence[Form], only: Sequence[str]
) -> list[Row | ChangeRow]:
    rows: list[Row | ChangeRow] = []
    lateness = Lateness()
    with (
        lateness.measured(),
        LoopThread(f"devices-{secrets.token_hex(3)}") as loop,
        hosted(directory, sources=sources(), spares=AT_A_TIME) as host,
    ):
        if host.problems:
            raise SystemExit(f"The blocks could not be imported: {host.problems}")
        for group, cases in GROUPS.items():
            wanted = [case for case in cases if _is_wanted(case, only)]
            for case in wanted:
                if reason := case.why_not():
                    console.print(f"note: {case.name} was not run: {reason}", highlight=False)
            if chosen := [case for case in wanted if not case.why_not()]:
                new = [
                    judge(seen, lateness) for form in forms for seen in run_cases(host, loop, chosen, form)
                ]
                console.print(table_of(group, new))
                rows += new
        rows += run_change_groups(host, loop, console, lateness, only)
    return rows


def _is_wanted(case: Case, only: Sequence[str]) -> bool:
    return not only or any(part in case.name for part in only)


if __name__ == "__main__":
    sys.exit(main())
