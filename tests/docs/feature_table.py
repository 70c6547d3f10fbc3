"""Reading `docs/operators/features.md`, and what is wrong with a row of it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operators" / "features.md"
SECTIONS = (11, 6, 11, 10, 15)
"""How many features each section has."""

_ROW = re.compile(
    r"^\| (?P<number>\d+) \| (?P<feature>[^|]+) \| (?P<here>yes|partly|no) "
    r"\| (?P<shown_by>[^|]*)\| (?P<held_by>[^|]*)\|$"
)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Feature:
    """One row. `commands` are what a person types to see it; `tests` are node ids of pytest."""

    number: int
    feature: str
    here: str
    shown_by: str
    held_by: str

    @property
    def commands(self) -> list[str]:
        return [
            code
            for code in _CODE.findall(self.shown_by)
            if code.split()[0] in {"supervisor", "curl", "systemctl"}
        ]

    @property
    def tests(self) -> list[str]:
        return [code for code in _CODE.findall(self.held_by) if "::" in code]


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def features(page: str) -> list[list[Feature]]:
    """Return the rows of each section."""
    sections = re.split(r"^## .*$", page, flags=re.MULTILINE)[1:]
    return [
        [
            Feature(
                int(row["number"]),
                row["feature"].strip(),
                row["here"],
                row["shown_by"].strip(),
                row["held_by"].strip(),
            )
            for line in section.splitlines()
            if (row := _ROW.match(line))
        ]
        for section in sections
    ]


def problems(page: str) -> Iterator[str]:
    """Yield what keeps the page from being believed."""
    sections = features(page)
    if tuple(map(len, sections)) != SECTIONS:
        yield f"the sections have {tuple(map(len, sections))} features, not {SECTIONS}"
    rows = [row for section in sections for row in section]
    if [row.number for row in rows] != list(range(1, sum(SECTIONS) + 1)):
        yield "the numbers do not go from 1 to 53"
    for row in rows:
        yield from (f"{row.number}: {problem}" for problem in _problems_of(row))
    counted = "Yes: {yes} of 53. Partly: {partly}. No: {no}.".format(
        **{here: sum(row.here == here for row in rows) for here in ("yes", "partly", "no")}
    )
    if counted not in page:
        yield f"the sum is: {counted}"


def _problems_of(row: Feature) -> Iterator[str]:
    if row.here != "no" and not row.shown_by:
        yield "nothing shows it"
    if row.here == "yes" and not row.commands and "](" not in row.shown_by:
        yield "neither a command nor a page shows it"
    if row.here == "yes" and not row.tests:
        yield "no test holds it"
    for test in row.tests:
        file, _, name = test.partition("::")
        if name not in _tests_in(file):
            yield f"there is no {test}"


@cache
def _tests_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.name.startswith("test_") or not path.is_file():
        return frozenset()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return frozenset(
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )
