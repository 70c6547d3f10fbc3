"""What the demo shows of its report keeps what matters, however wide the terminal is."""

from io import StringIO

import pytest
from test_demo_report import GOOD, planned, seen

from supervisor.commands.demo.report import Report, Row, judge
from supervisor.commands.demo.scenario import jobs
from supervisor.commands.demo.show import show
from supervisor.commands.shared.console import OutputConsole
from supervisor.verdict import Cause

ROWS = tuple(
    Row(job.name, job.what, "failed", "time_limit", 4.01, "descendants.py:56 run") for job in jobs("mark", 22)
)


def shown(report: Report, columns: int) -> str:
    written = StringIO()
    show(report, OutputConsole(file=written, width=columns))
    return written.getvalue()


def with_rows(*rows: Row) -> Report:
    return Report(**{name: getattr(GOOD, name) for name in Report.__slots__} | {"rows": rows})


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 150])
def test_what_a_job_does_how_it_ended_and_where_it_was_is_shown_at_any_width(columns: int) -> None:
    text = shown(with_rows(*ROWS), columns)
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text
    words = set(text.replace("│", " ").replace(": ", " ").split())
    for row in ROWS:
        assert words >= {row.job, *row.what.split()}
    assert text.count("time_limit") == text.count("descendants.py:56") == text.count("4.01 s") == len(ROWS)


def test_the_lateness_has_no_percentile_that_thirty_beats_can_not_have() -> None:
    text = shown(GOOD, 120)
    assert "worst" in text
    assert "p99" not in text


def test_where_all_jobs_ran_everything_was_as_expected() -> None:
    assert "Everything was as expected: 11 jobs" in shown(with_rows(*ROWS), 150)


def test_where_a_job_could_not_be_run_that_is_said_and_nothing_else_is_claimed() -> None:
    no_ping = seen(False, "The program `ping` is not installed on this worker.")
    ping = judge(planned("ping"), no_ping, Cause.BLOCK_FAILED)
    text = " ".join(shown(with_rows(ping, *ROWS[:3]), 150).split())
    assert "ping was not run: The program `ping` is not installed on this worker." in text
    assert "Everything was as expected" not in text
    assert "3 of 4 jobs ended as expected, in 8.0 s" in text
    assert text.endswith("Not run: ping.")
