"""The result of a block, for a person at a terminal."""

from typing import Any

from rich.table import Table
from rich.text import Text

from supervisor.commands.shared.console import OutputConsole
from supervisor.commands.shared.result_text import result_text
from supervisor.log.format import printable
from supervisor.watch.stack import innermost


def print_outcome(block_id: str, answer: dict[str, Any]) -> None:
    """Print the answer of a job (`supervisor.commands.blockserver.answer`), without its log: that was shown."""
    OutputConsole().print(outcome_table(block_id, answer))


def outcome_table(block_id: str, answer: dict[str, Any]) -> Table:
    """Return the answer as a table of two columns; missing values have no row."""
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("block", Text(block_id))
    succeeded = answer["success"]
    table.add_row(
        "outcome", Text("success" if succeeded else "failed", style="green" if succeeded else "red")
    )
    table.add_row("cause", Text(answer["cause"]))
    table.add_row("message", Text(printable(answer["message"])))
    for title, value in _further(answer):
        table.add_row(title, Text(printable(value)))
    table.add_row("time", Text(_usage(answer)))
    return table


def _further(answer: dict[str, Any]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if answer["warning"]:
        rows.append(("warning", answer["warning"]))
    if answer["retryable"] is not None:
        rows.append(("retryable", "yes" if answer["retryable"] else "no"))
    for title, key in (("data", "data"), ("db updates", "db_updates"), ("acquires", "acquires")):
        if answer[key] is not None:
            rows.append((title, result_text(answer[key])))
    if answer["signal_name"] or answer["exit_code"]:
        rows.append(("process", answer["signal_name"] or f"exit code {answer['exit_code']}"))
    if where := innermost(answer["stack"]):
        rows.append(("where", where))
    return rows


def _usage(answer: dict[str, Any]) -> str:
    parts = [f"{answer['elapsed_seconds']:.2f} s"]
    if answer["cpu_seconds"] is not None:
        parts.append(f"CPU {answer['cpu_seconds']:.2f} s")
    if answer["peak_memory_mb"] is not None:
        parts.append(f"peak memory {answer['peak_memory_mb']:.0f} MB")
    return ", ".join(parts)
