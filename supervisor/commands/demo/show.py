"""The report for a person."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from supervisor.commands.demo.lateness import Lateness
from supervisor.commands.demo.report import Report, Row

_STYLES: Final = {"success": "green", "failed": "yellow", "skipped": "dim"}


def show(report: Report, console: Console) -> None:
    """Print the table of jobs, the lateness of the heartbeat, the processes left over, and the conclusion."""
    console.print(_jobs(report.rows))
    for row in report.rows:
        if row.remark:
            _say(console, f"{row.job}: {row.remark}")
    console.print(_lateness(report))
    _say(console, _leftovers(report))
    problems = report.problems()
    if problems:
        _say(console, "Not everything was as expected:", "bold red")
        for problem in problems:
            _say(console, f"  {problem}", "red")
        return
    _say(
        console,
        f"Everything was as expected: {len(report.rows)} jobs in {report.elapsed_seconds:.1f} s, start and end of the "
        "worker included. The failures above are those that the jobs were made for.",
        "bold green",
    )


def _jobs(rows: tuple[Row, ...]) -> Table:
    table = Table(title="What became of each job", title_justify="left")
    for heading, no_wrap in (("job", True), ("what it does", False), ("outcome", True), ("cause", True)):
        table.add_column(heading, no_wrap=no_wrap)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("where it was", no_wrap=True)
    for row in rows:
        table.add_row(
            row.job,
            row.what,
            _outcome(row),
            row.cause or "-",
            "-" if row.seconds is None else f"{row.seconds:.2f} s",
            Text(row.where or "-"),
        )
    return table


def _outcome(row: Row) -> Text:
    if row.problem:
        return Text(f"{row.outcome} (!)", "bold red")
    return Text(row.outcome, _STYLES[row.outcome])


def _lateness(report: Report) -> Table:
    table = Table(title="Lateness while the jobs ran", title_justify="left")
    table.add_column(f"every {report.interval_seconds:g} s")
    for heading in ("p50", "p99", "max", "beats"):
        table.add_column(heading, justify="right", no_wrap=True)
    _add_lateness(table, "the worker's heartbeat, as it reached the engine", report.heartbeat)
    _add_lateness(table, "an idle process's timer on this machine", report.machine)
    return table


def _add_lateness(table: Table, what: str, lateness: Lateness) -> None:
    values = (lateness.p50_seconds, lateness.p99_seconds, lateness.max_seconds)
    table.add_row(what, *(f"{value * 1000:.1f} ms" for value in values), str(lateness.beats))


def _leftovers(report: Report) -> str:
    return (
        f"Processes left over: {len(report.left)} (of {report.processes_seen} that were seen below the worker; "
        f"descendants that tried to escape: {', '.join(report.descendants_seen) or 'none'})"
    )


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style))
