"""Compares what was seen with what is stated (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.programs.isolation.cells import CLOSED, OPEN, ROOT, ROWS
from tests.programs.isolation.columns import Column
from tests.programs.isolation.trial import Seen


@dataclass(frozen=True, slots=True)
class Judged:
    """One attempt of one cell. `problem` is empty where it is as stated; `skipped` says why it proves nothing."""

    what: str
    attempt: str
    seen: str
    problem: str = ""
    skipped: str = ""


def judge(
    column: Column, outcomes: Mapping[str, Seen], is_root: bool, impossible: Mapping[str, str]
) -> Iterator[Judged]:
    """Yield the judgement of every attempt of a column. One that no row knows, or that was not made, is a problem."""
    stated: set[str] = set()
    for row in ROWS:
        expected = row.expected(column)
        if expected == ROOT and not is_root:
            expected = CLOSED
        for name in row.attempts:
            stated.add(name)
            if (found := outcomes.get(name)) is None:
                yield Judged(row.what, name, "", "it was not tried")
            elif found.seen == expected or (expected == ROOT and found.seen in (OPEN, CLOSED)):
                yield Judged(row.what, name, found.seen)
            elif found.seen == CLOSED and name in impossible:
                yield Judged(row.what, name, found.seen, skipped=impossible[name])
            else:
                problem = f"it is {found.seen}, and should be {expected}"
                yield Judged(row.what, name, found.seen, f"{problem} ({found.why})" if found.why else problem)
    for name in sorted({*outcomes} - stated):
        yield Judged("", name, outcomes[name].seen, "no row of the table has it")
