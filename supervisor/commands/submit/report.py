"""The result of a submitted job, for a program and for a person."""

from typing import Any

from rich.table import Table
from rich.text import Text

from supervisor.commands.shared.result_text import result_text
from supervisor.log.format import printable


def report_of(job: dict[str, Any], cause: str | None = None) -> dict[str, Any]:
    """Return the important facts of a job's result, from the engine's answer. Only the worker's log has the `cause`."""
    body = job.get("result") or {}
    result = body.get("result") or {}
    return {
        "job": job.get("jobId"),
        "block": job.get("functionBlockId"),
        "type": job.get("type"),
        "success": bool(result.get("success")),
        "cause": cause,
        "message": str(result.get("message") or ""),
        "data": result.get("data"),
        "db_updates": (result.get("dbUpdates") or {}).get("updates"),
        "acquires": body.get("acquires"),
        "retryable": result.get("retryable"),
        "finished_by": job.get("finishedBy"),
        "started_at": job.get("startedAt"),
        "finished_at": job.get("finishedAt"),
    }


def report_table(report: dict[str, Any]) -> Table:
    """Return the report as a table of two columns; missing values have no row."""
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    ok = report["success"]
    table.add_row("block", Text(str(report["block"])))
    table.add_row("job", Text(str(report["job"])))
    table.add_row("outcome", Text("success" if ok else "failed", style="green" if ok else "red"))
    if report["cause"] is not None:
        table.add_row("cause", Text(report["cause"]))
    table.add_row("message", Text(printable(report["message"])))
    for title, key in (("data", "data"), ("db updates", "db_updates"), ("acquires", "acquires")):
        if report[key] is not None:
            table.add_row(title, Text(printable(result_text(report[key]))))
    if report["finished_by"] == "engine":
        table.add_row("ended by", Text("the engine: the worker was lost, or took too long"))
    return table
