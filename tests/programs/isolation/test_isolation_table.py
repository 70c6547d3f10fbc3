"""That the table states something for each attempt, and that a cell that is not as stated is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs.isolation.__main__ import Trial, report
from tests.programs.isolation.cells import ROOT, ROWS, as_markdown
from tests.programs.isolation.columns import COLUMNS
from tests.programs.isolation.isolation_blocks import files, processes, surroundings
from tests.programs.isolation.isolation_blocks.attempt import ATTEMPTS, outcome
from tests.programs.isolation.judging import judge
from tests.programs.isolation.trial import Seen

assert all((files, processes, surroundings)), "they register their attempts"
OFF = COLUMNS[0]
CHECKOUT = Path(__file__).parents[3]


def as_stated() -> dict[str, Seen]:
    return {
        name: Seen("closed" if row.expected(OFF) == ROOT else row.expected(OFF), "")
        for row in ROWS
        for name in row.attempts
    }


def problems(
    outcomes: dict[str, Seen], *, root: bool = False, impossible: dict[str, str] | None = None
) -> list[str]:
    return [each.attempt for each in judge(OFF, outcomes, root, impossible or {}) if each.problem]


def test_every_attempt_is_in_one_row_and_every_row_has_a_cell_for_each_column() -> None:
    stated = [name for row in ROWS for name in row.attempts]
    assert sorted(stated) == sorted(ATTEMPTS)
    assert all(row.expected(column) for row in ROWS for column in COLUMNS)
    assert all(len(row.cells.split()) == len(COLUMNS) for row in ROWS)


def test_what_is_as_stated_is_no_problem() -> None:
    assert problems(as_stated()) == []


@pytest.mark.parametrize("seen", ["open", "error"])
def test_an_attempt_that_should_be_refused_and_is_not_is_a_problem_also_where_it_fails_by_itself(
    seen: str,
) -> None:
    assert problems(as_stated() | {"sibling_mem": Seen(seen, "")}) == ["sibling_mem"]


def test_what_should_be_open_and_is_closed_is_a_problem_unless_this_machine_refuses_it_anyway() -> None:
    outcomes = as_stated() | {"write_cgroup": Seen("closed", "")}
    assert problems(outcomes) == ["write_cgroup"]
    assert problems(outcomes, impossible={"write_cgroup": "no cgroup"}) == []


def test_only_root_may_be_let_where_the_table_says_so() -> None:
    outcomes = as_stated() | {"sibling_environ": Seen("open", "")}
    assert problems(outcomes) == ["sibling_environ"]
    assert problems(outcomes, root=True) == []


def test_an_attempt_that_was_not_made_or_that_no_row_has_is_a_problem() -> None:
    outcomes = as_stated() | {"new": Seen("closed", "")}
    del outcomes["read_token"]
    assert problems(outcomes) == ["read_token", "new"]


def test_an_error_that_is_no_refusal_is_not_taken_for_one() -> None:
    def missing(to: object) -> None:
        raise FileNotFoundError(2, "not there")

    def refused(to: object) -> None:
        raise PermissionError(13, "no")

    assert outcome(missing, None)["seen"] == "error"  # type: ignore[arg-type]
    assert outcome(refused, None)["seen"] == "closed"  # type: ignore[arg-type]


def test_the_report_names_what_is_not_as_stated() -> None:
    judged = tuple(judge(OFF, as_stated() | {"read_token": Seen("closed", "EACCES")}, False, {}))
    lines = report([Trial(OFF, 7, judged, 1.0)])
    assert any(line.startswith("NO: off: ") and "read_token" in line and "EACCES" in line for line in lines)
    assert lines[-1].endswith("1 not as stated")


def test_a_worker_that_does_not_start_is_told() -> None:
    assert "NO: off: it did not start" in report([Trial(OFF, 7, (), 1.0, "it did not start")])


def test_the_table_for_the_documentation_has_a_line_for_each_row() -> None:
    assert len(as_markdown().splitlines()) == len(ROWS) + 2


def test_a_column_that_nobody_knows_is_refused_with_those_that_there_are() -> None:
    command = [sys.executable, "-m", "tests.programs.isolation", "on"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "on" in done.stderr
    assert "no-seccomp" in done.stderr


def test_the_documentation_shows_this_very_table() -> None:
    """To bring it up to date: `python -m tests.programs.isolation --table`."""
    page = (CHECKOUT / "docs/how-to/isolation.md").read_text()
    _, _, rest = page.partition("<!-- table of isolation -->\n")
    shown, end, _ = rest.partition("<!-- end of the table -->")
    assert end
    assert shown == as_markdown()
