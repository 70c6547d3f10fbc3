"""Rows for a person: a table if it fits into the terminal, otherwise each row as a short list."""

from collections.abc import Collection, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_GAP: Final = 2
_LAST_COLUMNS: Final = 24


def print_rows(
    console: Console,
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
) -> None:
    """Print rows with one cell for each title. Only the last cell is folded if it is long.

    In a file or a pipe each row is one line, however long it is: for `grep` and `awk`.

    `right` are the titles of columns that are aligned at the right, such as numbers.
    """
    if not console.is_terminal:
        _print_lines(console, titles, rows, right)
        return
    widths = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]
    *others, last = widths
    if sum(others) + _GAP * len(others) + min(last, _LAST_COLUMNS) <= console.width:
        console.print(_table(titles, rows, right))
    else:
        _print_lists(console, titles, rows)


def _print_lines(
    console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str]
) -> None:
    lines = [[" ".join(cell.split("\n")) for cell in row] for row in (titles, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            " " * (width - cell_len(cell)) + cell if title in right else cell + " " * (width - cell_len(cell))
            for title, cell, width in zip(titles, line, widths, strict=True)
        ]
        text = (" " * _GAP).join(cells).rstrip()
        console.print(Text(text), soft_wrap=True)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for title in titles:
        is_last = title == titles[-1]
        table.add_column(
            title, justify="right" if title in right else "left", overflow="fold", no_wrap=not is_last
        )
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _print_lists(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    indent = max(map(cell_len, titles[1:])) + 2 * _GAP
    for first, *others in rows:
        console.print(Text(first, style="bold", overflow="fold"))
        for title, cell in zip(titles[1:], others, strict=True):
            facts = Table.grid()
            facts.add_column(width=indent - _GAP)
            facts.add_column(overflow="fold")
            facts.add_row(title, Text(cell))
            console.print(Padding(facts, (0, 0, 0, _GAP)))
