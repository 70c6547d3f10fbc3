"""Where blocks are looked for: what is found there, what is passed by, and what is refused without harm to others."""

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobrunner.discovery.sources import ENTRY_POINTS, modules_of
from jobrunner.errors import SourceError


@pytest.fixture(autouse=True)
def imports_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Gives back what a look-up changes."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


def looked_up(source: str) -> tuple[list[str], list[SourceError]]:
    """The files that were found, without their directories, and what was refused."""
    try:
        found = modules_of(source, import_all=True)
    except SourceError as error:
        return [], [error]
    refused = [error for _, error in found.broken if isinstance(error, SourceError)]
    return [Path(module.file or "").name for module in found.modules], refused


def written(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).touch()
    return directory


@pytest.mark.parametrize("name", ["no_such_package.blocks", ".relative", "json.decoder.blocks"])
def test_a_module_that_can_not_be_looked_up_is_refused_by_its_name(name: str) -> None:
    found, (error,) = looked_up(name)
    assert (found, error.source) == ([], name)
    assert error.__cause__ is not None


@pytest.mark.parametrize(
    "ends", ["raise RuntimeError('no licence file')", "raise SystemExit('no licence file')"]
)
def test_a_package_that_fails_while_its_module_is_looked_up_is_refused_with_what_it_said(
    tmp_path: Path, ends: str
) -> None:
    written(tmp_path, "failing_package/blocks.py")
    (tmp_path / "failing_package" / "__init__.py").write_text(ends)
    sys.path.append(str(tmp_path))
    found, (error,) = looked_up("failing_package.blocks")
    assert found == []
    assert "no licence file" in error.message


def test_of_installed_packages_one_that_is_broken_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "installed_first.py", "installed_last.py")
    sys.path.append(str(tmp_path))
    names = ("installed_first", "installed_gone", "installed_last")
    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda group: [SimpleNamespaceInOrder(value=name) for name in names],
    )
    found, (error,) = looked_up(ENTRY_POINTS)
    assert found == ["installed_first.py", "installed_last.py"]
    assert error.source == "installed_gone"


class SimpleNamespaceInOrder(SimpleNamespace):
    """An entry point, as far as it is asked."""

    def __lt__(self, other: "SimpleNamespaceInOrder") -> bool:
        return bool(self.value < other.value)


def test_tests_and_hidden_directories_are_passed_by_at_any_depth(tmp_path: Path) -> None:
    written(
        tmp_path,
        "top.py",
        "deep/deeper/found.py",
        "tests/helper.py",
        ".venv/library.py",
        "deep/tests/helper.py",
        "deep/site-packages/deeper/library.py",
        "conftest.py",
        "test_top.py",
    )
    found, refused = looked_up(str(tmp_path))
    assert (sorted(found), refused) == (["found.py", "top.py"], [])


def test_imports_of_an_author_s_work_from_the_directory_and_the_top_of_its_packages_and_from_nowhere_else(
    tmp_path: Path,
) -> None:
    before = list(sys.path)
    plain = written(tmp_path / "plain", "block.py")
    inner = written(tmp_path / "outer" / "inner", "block.py", "__init__.py", "../__init__.py")
    looked_up(str(plain))
    looked_up(str(inner))
    assert sys.path == [*before, str(plain), str(inner), str(tmp_path)]
