"""Rows in terminals of any width: no cell is lost, and only the last one is folded."""

import io

import pytest
from rich.console import Console

from supervisor.commands.shared.table import print_rows

pytestmark = pytest.mark.pure

TITLES = ("block", "limits", "file")
ROWS = [
    ("acme/one:1.0.0", "5 s", "/opt/blocks/one.py:7"),
    ("acme/second:1.0.0", "-", "/opt/blocks/second.py:12"),
]


def shown(width: int, *, right: tuple[str, ...] = ()) -> list[str]:
    file = io.StringIO()
    print_rows(
        Console(file=file, width=width, force_terminal=True, color_system=None), TITLES, ROWS, right=right
    )
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_row_is_a_line_where_there_is_room() -> None:
    assert shown(80) == [
        "block              limits  file",
        "acme/one:1.0.0     5 s     /opt/blocks/one.py:7",
        "acme/second:1.0.0  -       /opt/blocks/second.py:12",
    ]


def test_numbers_end_at_the_same_place() -> None:
    assert shown(80, right=("limits",))[1:] == [
        "acme/one:1.0.0        5 s  /opt/blocks/one.py:7",
        "acme/second:1.0.0       -  /opt/blocks/second.py:12",
    ]


def test_in_a_narrow_terminal_a_row_is_a_list_of_its_facts() -> None:
    assert shown(40)[:3] == ["acme/one:1.0.0", "  limits  5 s", "  file    /opt/blocks/one.py:7"]


@pytest.mark.parametrize("width", [20, 40, 50, 51, 60, 200])
def test_no_cell_is_cut_at_any_width(width: int) -> None:
    text = "".join("".join(shown(width)).split())
    assert all("".join(cell.split()) in text for row in ROWS for cell in row[:2])
    lines = shown(width)
    assert max(map(len, lines)) <= width
    # A folded cell goes on below where it began.
    assert all(path[-4:] in "".join(lines) for *_, path in ROWS)


@pytest.mark.parametrize("width", [49, 50, 51, 200])
def test_only_the_last_cell_is_folded(width: int) -> None:
    text = "\n".join(shown(width))
    assert all(cell in text for *cells, _ in ROWS for cell in cells)


def test_a_long_first_cell_is_not_folded_to_make_room_for_the_last() -> None:
    file = io.StringIO()
    name, path = "acme/" + "n" * 35, "/opt/" + "p" * 55
    print_rows(Console(file=file, width=80), TITLES, [(name, "5 s", path)])
    assert f"{name}  5 s     /opt/" in file.getvalue()


def test_brackets_are_no_styles() -> None:
    file = io.StringIO()
    print_rows(Console(file=file, width=80), ("a", "b"), [("[bold]x", "[/]y")])
    assert "[bold]x  [/]y" in file.getvalue()


def test_in_a_pipe_a_row_is_one_line_however_narrow_and_long() -> None:
    file = io.StringIO()
    rows = [*ROWS, ("acme/third:1.0.0", "-", "two\nlines, and " + 90 * "long ")]
    print_rows(Console(file=file, width=40), TITLES, rows, right=("limits",))
    head, *lines = file.getvalue().splitlines()
    assert head.split() == list(TITLES)
    assert [line.split()[0] for line in lines] == [row[0] for row in rows]
    assert lines[2].endswith("two lines, and " + (90 * "long ").rstrip())
