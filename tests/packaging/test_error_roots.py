"""Each package has one root of its errors: who catches it catches all that the package raises on purpose."""

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOTS = {
    "supervisor": "SupervisorError",
    "jobrunner": "JobRunnerError",
    "jobrunner/protocol": "ProtocolError",
    "sdk": "SdkError",
    "sdk/devengine": "DevEngineError",
}
NOT_OURS = ("sdk/compat",)
"""Errors of `neops_worker_sdk`, with the names and the bases that blocks written for it know."""

Classes = Mapping[str, tuple[str, Sequence[str]]]
"""The path of each class, and the last names of its bases."""


def classes_of(files: Mapping[str, str]) -> Classes:
    found: dict[str, tuple[str, Sequence[str]]] = {}
    for path, text in files.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
                found[f"{path}:{node.name}"] = (node.name, bases)
    return found


def without_root(classes: Classes, root: str) -> list[str]:
    """Return the errors that do not descend from `root`. What begins with an underscore never leaves its module.

    A warning is none: it is not raised.
    """
    bases = dict(classes.values())

    def ancestors(name: str) -> Iterator[str]:
        yield name
        for base in bases.get(name, ()):
            yield from ancestors(base)

    def is_error(name: str) -> bool:
        found: object = getattr(builtins, name, None)
        is_raised = (
            isinstance(found, type) and issubclass(found, BaseException) and not issubclass(found, Warning)
        )
        return name.endswith("Error") or is_raised

    return [
        place
        for place, (name, own) in classes.items()
        if not name.startswith("_")
        and any(is_error(each) for base in own for each in ancestors(base))
        and root not in ancestors(name)
    ]


def sources_of(package: str) -> dict[str, str]:
    others = [each for each in (*ROOTS, *NOT_OURS) if each.startswith(f"{package}/")]
    files = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / package).rglob("*.py")}
    return {
        name: path.read_text(encoding="utf-8")
        for name, path in files.items()
        if not any(name.startswith(f"{other}/") for other in others)
    }


@pytest.mark.parametrize("package", ROOTS)
def test_every_error_of_a_package_descends_from_its_root(package: str) -> None:
    classes = classes_of(sources_of(package))
    assert ROOTS[package] in {name for name, _ in classes.values()}
    assert without_root(classes, ROOTS[package]) == []


def test_an_error_without_the_root_is_found_also_behind_one_of_its_own() -> None:
    text = """
class RootError(Exception): ...
class GoodError(RootError, OSError): ...
class BetterError(GoodError): ...
class StrayError(OSError): ...
class Further(StrayError): ...
class _Own(Exception): ...
class NoError: ...
"""
    assert without_root(classes_of({"a.py": text}), "RootError") == ["a.py:StrayError", "a.py:Further"]
