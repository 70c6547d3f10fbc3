"""The report for a person, on a page, in a terminal of 80 columns, or in less."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from supervisor.commands.demo.lateness import Lateness
from supervisor.commands.demo.report import NOT_RUN, Report, Row

_STYLES: Final = {"success": "green", "failed": "yellow", NOT_RUN: "dim"}
_TITLE: Final = "What became of each job"
_WIDE_COLUMNS: Final = 110
_NARROW_COLUMNS: Final = 70


def show(report: Report, console: Console) -> None:
    """Print the table of jobs, the lateness of the heartbeat, the processes left over, and the conclusion."""
    if console.width >= _WIDE_COLUMNS:
        console.print(_jobs_in_a_row_each(report.rows))
    elif console.width >= _NARROW_COLUMNS:
        console.print(_jobs_with_the_place_below(report.rows))
    else:
        _list_jobs(console, report.rows)
    for row in report.rows:
        if row.remark:
            _say(console, f"{row.job} was not run: {row.remark}")
    if console.width >= _NARROW_COLUMNS:
        console.print(_lateness(report))
    else:
        _list_lateness(console, report)
    _say(console, _leftovers(report))
    problems = report.problems()
    if problems:
        _say(console, "Not everything was as expected:", "bold red")
        for problem in problems:
            _say(console, f"  {problem}", "red")
        return
    _say(console, _conclusion(report), "bold green")


def _conclusion(report: Report) -> str:
    took = f"in {report.elapsed_seconds:.1f} s, start and end of the worker included."
    made_to_fail = "The failures above are those that the jobs were made for."
    if not (not_run := report.not_run()):
        return f"Everything was as expected: {len(report.rows)} jobs {took} {made_to_fail}"
    ran = len(report.rows) - len(not_run)
    return f"{ran} of {len(report.rows)} jobs ended as expected, {took} {made_to_fail} Not run: {', '.join(not_run)}."


def _jobs_in_a_row_each(rows: tuple[Row, ...]) -> Table:
    table = Table(title=_TITLE, title_justify="left")
    for heading, no_wrap in (("job", True), ("what it does", False), ("outcome", True), ("cause", True)):
        table.add_column(heading, no_wrap=no_wrap)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("where it was", no_wrap=True)
    for row in rows:
        table.add_row(
            row.job,
            row.what,
            _outcome(row, row.outcome),
            row.cause or "-",
            _time(row),
            Text(row.where or "-"),
        )
    return table


def _jobs_with_the_place_below(rows: tuple[Row, ...]) -> Table:
    table = Table(title=_TITLE, title_justify="left")
    table.add_column("job", no_wrap=True)
    table.add_column("what it does, and where it was")
    table.add_column("outcome", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    for row in rows:
        what = Text(row.what).append(f"\n{row.where}" if row.where else "", "dim")
        table.add_row(row.job, what, _outcome(row, _outcome_or_cause(row)), _time(row))
    return table


def _list_jobs(console: Console, rows: tuple[Row, ...]) -> None:
    _say(console, f"{_TITLE}:")
    for row in rows:
        _say(console, f"{row.job}: {_outcome_or_cause(row)}, {_time(row)}", _style(row))
        _say(console, f"  {row.what}")
        if row.where:
            _say(console, f"  {row.where}", "dim")


def _outcome_or_cause(row: Row) -> str:
    """Return the word that says most: a failed job has a cause, and other jobs need none."""
    return row.cause if row.outcome == "failed" and row.cause else row.outcome


def _time(row: Row) -> str:
    return "-" if row.seconds is None else f"{row.seconds:.2f} s"


def _outcome(row: Row, text: str) -> Text:
    return Text(f"{text} (!)" if row.problem else text, _style(row))


def _style(row: Row) -> str:
    return "bold red" if row.problem else _STYLES[row.outcome]


def _lateness(report: Report) -> Table:
    table = Table(title="Lateness while the jobs ran", title_justify="left")
    table.add_column(f"every {report.interval_seconds:g} s")
    for heading in ("median", "worst", "beats"):
        table.add_column(heading, justify="right", no_wrap=True)
    _add_lateness(table, "the worker's heartbeat, as it reached the engine", report.heartbeat)
    _add_lateness(table, "an idle process's timer on this machine", report.machine)
    return table


def _add_lateness(table: Table, what: str, lateness: Lateness) -> None:
    table.add_row(what, _ms(lateness.median_seconds), _ms(lateness.worst_seconds), str(lateness.beats))


def _list_lateness(console: Console, report: Report) -> None:
    for what, late in (("the heartbeat", report.heartbeat), ("an idle process's timer", report.machine)):
        _say(
            console,
            f"Lateness of {what}, every {report.interval_seconds:g} s: "
            f"median {_ms(late.median_seconds)}, worst {_ms(late.worst_seconds)}",
        )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _leftovers(report: Report) -> str:
    return (
        f"Processes left over: {len(report.left)} (of {report.processes_seen} that were seen below the worker; "
        f"descendants that tried to escape: {', '.join(report.descendants_seen) or 'none'})"
    )


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style))
