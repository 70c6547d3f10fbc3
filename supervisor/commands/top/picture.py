"""Draws `top` from one answer of the worker: for a terminal of a given size, or as plain text."""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from supervisor.commands.top.columns import GAP, Cell, Column, ShareOf, columns_for
from supervisor.commands.top.snapshot import Snapshot, WorkerShown

_ALARM: Final = "bold yellow"
_HEADING: Final = "bold"
_NOTHING: Final = "No job runs or waits."


def picture_of(snapshot: Snapshot, share_of: ShareOf, clock: str, width: int, height: int) -> RenderableType:
    """Return the picture for a terminal of this size. `clock` is the time that it shows."""
    head = [
        Text(line, style=style, overflow="ellipsis", no_wrap=True)
        for line, style in _head(snapshot.worker, clock)
    ]
    room = max(1, height - len(head) - 2)
    jobs = snapshot.jobs
    shown = jobs if len(jobs) <= room else jobs[: max(1, room - 1)]
    parts: list[RenderableType] = [*head, Text("")]
    parts += _rows(columns_for(shown, share_of, width), width) if shown else [Text(_NOTHING)]
    if len(shown) < len(jobs):
        parts.append(Text(f"… and {len(jobs) - len(shown)} more jobs", style="dim"))
    return Group(*parts)


def picture_without_worker(message: str, since: str) -> RenderableType:
    """Return the picture while nobody answers."""
    return Group(
        Text(
            f"No worker answers, since {since}. It is asked again each second; Ctrl-C ends this.",
            style=_ALARM,
        ),
        Text(message, overflow="fold"),
    )


def plain_lines(snapshot: Snapshot, share_of: ShareOf, clock: str, width: int | None) -> list[str]:
    """Return the same as lines without colours; uncut, if `width` is `None`."""
    lines = [line for line, _ in _head(snapshot.worker, clock)]
    if not snapshot.jobs:
        return [*lines, _NOTHING]
    rows = _rows(columns_for(snapshot.jobs, share_of, width), width)
    return [*lines, *(row.plain.rstrip() for row in rows)]


def _head(worker: WorkerShown, clock: str) -> list[tuple[str, str]]:
    """Return the lines above the jobs, each with its style."""
    state = "ready" if worker.ready else "not ready"
    busy = f"{worker.slots} slot(s), {worker.spares} spare(s)"
    waits = f"{worker.waiting_jobs} job(s) and {worker.results_waiting} result(s) wait"
    first = f"{clock}  {worker.name}: {state}  |  {busy}  |  {waits}"
    lines = [(first, "bold green" if worker.ready else "bold red")]
    if worker.engine:
        lines.append((f"engine: {worker.engine}", ""))
    lines += [(f"not ready: {reason}", _ALARM) for reason in worker.why_not]
    lines += [(f"warning: {problem}", _ALARM) for problem in worker.warnings]
    return lines


def _rows(columns: Sequence[Column], width: int | None) -> list[Text]:
    """Return the titles and a row for each job. Each is cut at `width`."""
    rows = [_row(columns, [Cell(column.title) for column in columns], width, _HEADING)]
    rows += [
        _row(columns, [column.cells[number] for column in columns], width)
        for number in range(len(columns[0].cells))
    ]
    return rows


def _row(columns: Sequence[Column], cells: Sequence[Cell], width: int | None, style: str = "") -> Text:
    row = Text(style=style, no_wrap=True, overflow="ellipsis")
    for number, (column, cell) in enumerate(zip(columns, cells, strict=True)):
        padding = " " * max(0, column.cells_wide - cell_len(cell.text))
        gap = " " * GAP if number else ""
        before, after = (padding, "") if column.right else ("", padding)
        row.append(f"{gap}{before}")
        row.append(cell.text, style=_ALARM if cell.is_alarming else None)
        row.append(after)
    row.rstrip()
    if width is not None:
        row.truncate(width, overflow="ellipsis")
    return row
