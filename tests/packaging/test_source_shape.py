"""The shape of the source: short files, short functions, and a docstring in one dialect on all that is public."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("supervisor", "jobrunner", "sdk", "blocks")
LONGEST_FILE_LINES = 300
LONGEST_FUNCTION_LINES = 60

Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """Every module of the four packages, as path and text."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}


def is_exempt(node: ast.ClassDef | Function) -> bool:
    """What is said of the getter, the implementation or the base class need not be said twice."""
    decorators = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return not decorators.isdisjoint({"setter", "deleter", "overload", "override"})


def public_definitions(node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | Function]:
    """Yield the public classes, functions and methods; those inside a function are its own affair."""
    for child in node.body:
        if isinstance(child, ast.ClassDef | Function) and not child.name.startswith("_"):
            if not is_exempt(child):
                yield child
            if isinstance(child, ast.ClassDef):
                yield from public_definitions(child)


def test_no_file_is_too_long_to_read_in_one_go(sources: dict[str, str]) -> None:
    lengths = {path: len(text.splitlines()) for path, text in sources.items()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE_LINES} == {}


def test_no_function_is_longer_than_a_screen(sources: dict[str, str]) -> None:
    lengths = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, text in sources.items()
        for node in ast.walk(ast.parse(text, filename=path))
        if isinstance(node, Function)
    }
    assert {place: lines for place, lines in lengths.items() if lines > LONGEST_FUNCTION_LINES} == {}


def test_everything_public_has_a_docstring(sources: dict[str, str]) -> None:
    bare = []
    for path, text in sources.items():
        module = ast.parse(text, filename=path)
        if ast.get_docstring(module) is None:
            bare.append(f"{path}: the module itself")
        definitions = public_definitions(module)
        bare += [f"{path}:{node.lineno} {node.name}" for node in definitions if not ast.get_docstring(node)]
    assert bare == []


def test_names_of_the_code_stand_between_single_backticks(sources: dict[str, str]) -> None:
    double = re.compile(r"(?<!`)``(?!`)")
    found = [
        f"{path}:{number}"
        for path, text in sources.items()
        for number, line in enumerate(text.splitlines(), 1)
        if double.search(line)
    ]
    assert found == []
