"""`docs/complaints.md` tells the truth: each complaint has a test, and the test names it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (?P<issue>[\w.-]+/[\w.-]+#\d+): .*? \| `(?P<file>[^`]+)::(?P<test>\w+)` \|$",
    (ROOT / "docs" / "complaints.md").read_text(),
    flags=re.MULTILINE,
)


def test_the_table_has_all_that_matter_most() -> None:
    assert len(ROWS) == 14


@pytest.mark.parametrize(("issue", "file", "test"), ROWS)
def test_a_complaint_has_a_test_that_names_it(issue: str, file: str, test: str) -> None:
    module = ast.parse((ROOT / file).read_text())
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    (found,) = [node for node in functions if node.name == test]
    named = f"{ast.get_docstring(module)} {ast.get_docstring(found)}"
    assert issue in named
