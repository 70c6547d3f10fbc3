"""The wheel: built as an installer would build it, without a network, and holding all that it promises."""

import configparser
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("supervisor", "jobrunner", "sdk", "blocks")


@pytest.fixture(scope="module")
def wheel(built_wheel: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(built_wheel) as opened:
        yield opened


def metadata_file(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = [path for path in wheel.namelist() if path.endswith(f".dist-info/{name}")]
    return wheel.read(path).decode()


def test_the_wheel_holds_every_module_of_the_four_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    modules = {path.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    content = {path for path in wheel.namelist() if ".dist-info/" not in path and ".data/" not in path}
    assert modules <= content
    assert {path.split("/")[0] for path in content} == set(PACKAGES)
    assert not [path for path in content if "__pycache__" in path]


def test_the_wheel_brings_the_manual_page_and_the_alerts(wheel: zipfile.ZipFile) -> None:
    brought = {path.partition(".data/data/")[2]: path for path in wheel.namelist() if ".data/data/" in path}
    assert set(brought) == {"share/man/man1/supervisor.1", "share/neops-supervisor/alerts.yml"}
    for path in brought.values():
        assert wheel.read(path) == (ROOT / "deploy" / Path(path).name).read_bytes()


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_in_the_wheel_is_marked_as_typed(wheel: zipfile.ZipFile, package: str) -> None:
    assert f"{package}/py.typed" in wheel.namelist()


def test_the_wheel_declares_the_entry_points_of_pyproject(wheel: zipfile.ZipFile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = configparser.ConfigParser()
    declared.read_string(metadata_file(wheel, "entry_points.txt"))
    assert dict(declared["console_scripts"]) == project["scripts"]
    for group, entries in project["entry-points"].items():
        assert dict(declared[group]) == entries


def test_each_entry_point_names_a_module_that_the_wheel_holds(wheel: zipfile.ZipFile) -> None:
    declared = configparser.ConfigParser()
    declared.read_string(metadata_file(wheel, "entry_points.txt"))
    modules = [value.split(":")[0] for group in declared.sections() for value in declared[group].values()]
    held = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in wheel.namelist()}
    assert [module for module in modules if module not in held] == []


def test_the_wheel_s_metadata_says_version_python_and_license(wheel: zipfile.ZipFile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    metadata = Parser().parsestr(metadata_file(wheel, "METADATA"))
    assert metadata["Name"] == project["name"]
    assert metadata["Version"] == project["version"]
    assert metadata["Requires-Python"] == project["requires-python"]
    assert metadata["License-Expression"] == project["license"]
    assert metadata_file(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_wheel_asks_for_no_version_that_only_one_client_has(wheel: zipfile.ZipFile) -> None:
    requires = Parser().parsestr(metadata_file(wheel, "METADATA")).get_all("Requires-Dist", [])
    assert [line for line in requires if "==" in line.split(";")[0]] == []
