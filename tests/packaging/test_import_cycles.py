"""No module imports one that imports it in turn: else it depends on what else was imported whether both can be."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def modules_of(package: str) -> dict[str, Path]:
    paths = {path.relative_to(ROOT).with_suffix(""): path for path in (ROOT / package).rglob("*.py")}
    return {".".join(name.parts).removesuffix(".__init__"): path for name, path in paths.items()}


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """What runs when a module is imported, without functions and what only a type checker sees."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.Try):
            yield from statements(statement.body)
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.unparse(statement.test):
            yield from statements([*statement.body, *statement.orelse])


def imported(path: Path) -> Iterator[str]:
    for statement in statements(ast.parse(path.read_bytes()).body):
        if isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
        elif isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)


def with_packages(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[: count + 1]) for count in range(len(parts)))


@pytest.mark.parametrize("package", ["sdk", "jobrunner", "supervisor"])
def test_no_module_imports_itself_by_way_of_others(package: str) -> None:
    paths = modules_of(package)
    assert len(paths) > 20
    graph = {
        module: {
            needed
            for name in imported(path)
            for needed in with_packages(name)
            # A package is there, if not whole, whenever a module in it is imported.
            if needed in paths and needed != module and not module.startswith(f"{needed}.")
        }
        for module, path in paths.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" needs ".join(reversed(error.args[1])))
