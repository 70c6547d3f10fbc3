"""The command line: every cell of the table by a real attempt; exit code 0 when each is as stated."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.faults.programs import FaultTestError
from tests.programs.isolation.cells import ROWS, as_markdown
from tests.programs.isolation.columns import COLUMNS, Column
from tests.programs.isolation.judging import Judged, judge
from tests.programs.isolation.trial import TrialError, impossible, try_column

_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """One worker of a column: on which version of Landlock, what was seen, and why nothing was."""

    column: Column
    abi: int
    judged: tuple[Judged, ...]
    seconds: float
    failure: str = ""

    @property
    def name(self) -> str:
        """The column's name, and the version where it is proven with several."""
        return self.column.name if len(self.column.abis) == 1 else f"{self.column.name} ({self.abi})"


def main() -> int:
    """Make the attempts. Returns 0 when each cell is as stated, 1 when not, 2 for a column that nobody knows."""
    arguments = _parser().parse_args()
    if arguments.table:
        print(as_markdown(), end="")
        return 0
    names = [column.name for column in COLUMNS]
    if unknown := sorted({*arguments.only} - {*names}):
        print(
            f"isolation: no column is called {', '.join(unknown)}; there are {', '.join(names)}",
            file=sys.stderr,
        )
        return 2
    begun = time.monotonic()
    chosen = [column for column in COLUMNS if column.name in arguments.only or not arguments.only]
    trials = asyncio.run(_try_all(chosen))
    for line in report(trials):
        print(line)
    print(f"as user {os.geteuid()}, {time.monotonic() - begun:.0f} s")
    return int(any(trial.failure or any(each.problem for each in trial.judged) for trial in trials))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.isolation",
        description="Try from a job all that the documentation says of --isolation.",
    )
    parser.add_argument("only", nargs="*", metavar="COLUMN", help="columns to try; by default all")
    parser.add_argument("--table", action="store_true", help="only print the table for the documentation")
    return parser


async def _try_all(columns: Sequence[Column]) -> list[Trial]:
    places = asyncio.Semaphore(_AT_ONCE)
    cannot = impossible()

    async def one(column: Column, abi: int) -> Trial:
        async with places:
            begun = time.monotonic()
            try:
                outcomes = await try_column(column, abi)
            except (TrialError, FaultTestError) as error:
                return Trial(column, abi, (), time.monotonic() - begun, str(error))
            judged = tuple(judge(column, outcomes, os.geteuid() == 0, cannot))
            return Trial(column, abi, judged, time.monotonic() - begun)

    return list(await asyncio.gather(*(one(column, abi) for column in columns for abi in column.abis)))


def report(trials: Sequence[Trial]) -> list[str]:
    """Return a line for each row, with a mark for each worker, and then every problem in words."""
    lines = [f"{number:>3}  {trial.name}: {trial.seconds:.1f} s" for number, trial in enumerate(trials, 1)]
    lines += ["", "".join(f"{number:>4}" for number in range(1, len(trials) + 1)) + "  (- open, # closed)"]
    for row in ROWS:
        lines.append("".join(f"{_mark(row.what, trial):>4}" for trial in trials) + f"  {row.what}")
    problems = [f"NO: {trial.name}: {trial.failure}" for trial in trials if trial.failure]
    problems += [
        f"NO: {trial.name}: {each.what or each.attempt}: {each.attempt}: {each.problem}"
        for trial in trials
        for each in trial.judged
        if each.problem
    ]
    skipped = {each.attempt: each.skipped for trial in trials for each in trial.judged if each.skipped}
    count = sum(len(trial.judged) for trial in trials)
    lines += ["", *(f"note: {name} proves little: {why}" for name, why in skipped.items()), *problems]
    return [*lines, f"{count} attempts under {len(trials)} workers, {len(problems)} not as stated"]


def _mark(what: str, trial: Trial) -> str:
    judged = [each for each in trial.judged if each.what == what]
    if not judged or any(each.problem for each in judged):
        return "NO"
    return {"open": "-", "closed": "#"}.get(judged[0].seen, "?")


if __name__ == "__main__":
    sys.exit(main())
