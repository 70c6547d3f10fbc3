"""What two type checkers make of blocks whose authors have nothing but our wheel."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typing_checkers import (
    AUTHORED,
    Complaints,
    authored_in,
    basedpyright,
    environment_with,
    expected_of,
    mypy,
)

CHECKERS: dict[str, Callable[[Path, Path], Complaints]] = {"mypy": mypy, "basedpyright": basedpyright}
MODULES = sorted(path.stem for path in AUTHORED.glob("*.py"))


@pytest.fixture(scope="module")
def python(built_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(built_wheel, tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module", params=CHECKERS)
def checked(
    request: pytest.FixtureRequest, python: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Complaints]:
    """One run of one checker over all modules."""
    for needed in ("mypy", "basedpyright"):
        pytest.importorskip(needed)
    modules = authored_in(tmp_path_factory.mktemp(request.param) / "authored")
    return request.param, CHECKERS[request.param](modules, python)


@pytest.mark.parametrize("module", MODULES)
def test_a_checker_refuses_the_lines_that_are_wrong_and_no_others(
    checked: tuple[str, Complaints], module: str
) -> None:
    checker, complaints = checked
    found = {each: text for each, text in complaints.items() if each.module == module}
    expected = {each for each in expected_of(checker) if each.module == module}
    surplus = [f"{each.line}: {text} [{each.code}]" for each, text in found.items() if each not in expected]
    assert surplus == []
    assert expected - found.keys() == set()


def test_both_checkers_have_something_to_refuse() -> None:
    assert all(len(expected_of(checker)) > 40 for checker in CHECKERS)
