"""The data of a result, for a person."""

import io
import json
import sys

import pytest
from rich.console import Console

from supervisor.commands.shared.result_text import result_text
from supervisor.commands.submit.report import report_of, report_table

DIFF = "--- running\n+++ planned\n+ description to basel\n"


def test_a_text_of_several_lines_has_them_and_everything_else_is_json() -> None:
    data = {"diff": DIFF, "lines": ["a", "b\n c\n\nd"], "saved": False, "name": "Zürich", "none": None}
    assert result_text(data).split("\n") == [
        "{",
        '  "diff": |',
        "    --- running",
        "    +++ planned",
        "    + description to basel",
        '  "lines": [',
        '    "a",',
        "    |",
        "      b",
        "       c",
        "      ",
        "      d",
        "  ],",
        '  "saved": false,',
        '  "name": "Zürich",',
        '  "none": null',
        "}",
    ]


@pytest.mark.parametrize(
    "value", [{}, [], {"a": [], "b": {}}, [1, 2.5, None, True], {"a": [{"b": ["c"]}]}, "text", 7]
)
def test_without_such_a_text_it_is_json_with_an_indent(value: object) -> None:
    assert result_text(value) == json.dumps(value, indent=2)


def test_what_is_nested_without_end_is_shown_by_all_means() -> None:
    # Python 3.11 writes no more levels than this.
    levels = 2000 if sys.version_info >= (3, 12) else 700
    nested = json.loads("[" * levels + "]" * levels)
    assert result_text(nested) == "[" * levels + "]" * levels


def test_submit_shows_the_lines_of_a_difference() -> None:
    job = {"jobId": "1", "result": {"result": {"success": True, "data": {"diff": DIFF}}}}
    shown = io.StringIO()
    Console(file=shown, width=80).print(report_table(report_of(job)))
    lines = [line.strip() for line in shown.getvalue().splitlines()]
    assert lines[-5:] == ['"diff": |', "--- running", "+++ planned", "+ description to basel", "}"]
