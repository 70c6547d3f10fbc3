"""Lines are recorded in every process of a lane, however it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs.mutants import recorder
from tests.programs.mutants.coverage_map import CoverageMap, Layout, digests
from tests.programs.mutants.mutation import mutants_of

MODULE = """\
def one(a):
    b = a
    return b


def two(a):
    return a
"""
PROGRAM = """\
import os, signal, sys
sys.path.insert(0, {directory!r})
import recorder
recorder.start_if_asked({root!r})
recorder.start_if_asked({root!r})  # as in some virtual environments
sys.path.insert(0, {root!r} + "/sdk")
import module
if os.fork() == 0:
    module.one(1)
    os.kill(os.getpid(), signal.SIGKILL)
os.wait()
os._exit(0)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sdk").mkdir()
    (tmp_path / "sdk/module.py").write_text(MODULE)
    (tmp_path / recorder.DIRECTORY).mkdir()
    return tmp_path


def test_what_a_killed_fork_ran_is_recorded(root: Path) -> None:
    layout, directory = Layout(root), root / recorder.DIRECTORY
    (directory / "layout.json").write_text(json.dumps(layout.as_json()))
    (directory / "current").write_text("0")
    (directory / "0.out").touch()
    os.truncate(directory / "0.out", layout.length)
    program = PROGRAM.format(directory=str(Path(recorder.__file__).parent), root=str(root))
    subprocess.run([sys.executable, "-I", "-c", program], check=True, timeout=60)
    bits = layout.lines((directory / "0.out").read_bytes())["sdk/module.py"]
    assert [line for line in range(1, 8) if bits >> line & 1] == [1, 2, 3, 6]


def test_a_mutant_is_tried_with_the_tests_that_run_its_line_and_an_imported_line_with_all_of_its_module(
    root: Path,
) -> None:
    (root / "sdk/module.py").write_text("LIMIT = 1\n" + MODULE)
    coverage = CoverageMap(root, root / "coverage")
    (root / "t.py").write_text("import os")
    (root / "named.py").write_text("from sdk import module")

    def test(name: str, lines: int) -> dict[str, object]:
        return {"test": name, "seconds": 0.1, "own": {"sdk/module.py": f"{lines:x}"}, "others": {}}

    tests = [test("t.py::one", 0b11000), test("t.py::two", 0b100000000), test("t.py::imports", 0b10)]
    coverage.keep("t.py", {"tests": tests, "digests": {}})
    coverage.keep("named.py", {"tests": [test("named.py::three", 0b10)], "digests": {}})
    coverage.load(["t.py", "named.py"])
    found = {
        mutant.original: [test.node for test in coverage.covering(mutant)]
        for mutant in mutants_of("sdk/module.py", (root / "sdk/module.py").read_bytes())
    }
    assert found == {
        "1": ["named.py::three", "t.py::two", "t.py::one"],
        "b": ["t.py::one"],
        "a": ["t.py::two"],
    }


def test_a_default_is_tried_with_the_tests_that_run_its_function_alone(root: Path) -> None:
    (root / "sdk/module.py").write_text(MODULE.replace("two(a)", "two(a=1)"))
    (root / "named.py").write_text("from sdk import module")
    coverage = CoverageMap(root, root / "coverage")
    kept = [
        {
            "test": f"named.py::{name}",
            "seconds": 0.1,
            "own": {"sdk/module.py": f"{1 << line:x}"},
            "others": {},
        }
        for name, line in (("one", 2), ("two", 7), ("imports", 6))
    ]
    coverage.keep("named.py", {"tests": kept, "digests": {}})
    coverage.load(["named.py"])
    (mutant,) = (
        mutant
        for mutant in mutants_of("sdk/module.py", (root / "sdk/module.py").read_bytes())
        if mutant.original == "1"
    )
    assert [test.node for test in coverage.covering(mutant)] == ["named.py::two"]


@pytest.mark.parametrize(
    ("imports", "tests"),
    [
        ("from sdk.package import LIMIT", True),
        ("from sdk.package import LIMIT as named", True),
        ("from sdk import package", True),
        ("import sdk.package", True),
        ("from sdk.package.module import LIMIT", True),
        ("from sdk.package import module", True),
        ("from sdk.package import OTHER", False),
        ("from sdk import other", False),
    ],
)
def test_an_imported_line_is_tried_with_tests_that_import_its_name_by_way_of_the_package(
    root: Path, imports: str, tests: bool
) -> None:
    package = root / "sdk/package"
    package.mkdir()
    (package / "__init__.py").write_text("from sdk.package.module import LIMIT\nfrom .second import OTHER\n")
    (package / "module.py").write_text("LIMIT = 1\n")
    (package / "second.py").write_text("OTHER = 2\n")
    (root / "t.py").write_text(imports)
    coverage = CoverageMap(root, root / "coverage")
    coverage.keep("t.py", {"tests": [{"test": "t.py::one", "seconds": 0.1, "own": {}, "others": {}}]})
    coverage.load(["t.py"])
    mutant, *_ = mutants_of("sdk/package/module.py", (package / "module.py").read_bytes())
    assert [test.node for test in coverage.covering(mutant)] == (["t.py::one"] if tests else [])


def test_an_imported_line_is_tried_with_tests_that_run_functions_of_modules_that_import_it(
    root: Path,
) -> None:
    (root / "sdk/limits.py").write_text("LIMIT = 1\n")
    (root / "sdk/module.py").write_text("from .limits import LIMIT\n" + MODULE)
    (root / "t.py").write_text("import os")
    coverage = CoverageMap(root, root / "coverage")
    kept = [
        {"test": name, "seconds": 0.1, "own": {"sdk/module.py": f"{1 << line:x}"}, "others": {}}
        for name, line in (("t.py::runs", 3), ("t.py::imports", 1))
    ]
    coverage.keep("t.py", {"tests": kept, "digests": {}})
    coverage.load(["t.py"])
    mutant, *_ = mutants_of("sdk/limits.py", (root / "sdk/limits.py").read_bytes())
    assert [test.node for test in coverage.covering(mutant)] == ["t.py::runs"]


def test_files_that_are_about_the_module_come_first_and_one_test_of_each_before_the_second_of_any(
    root: Path,
) -> None:
    coverage = CoverageMap(root, root / "coverage")
    for file, seconds in (("test_module_limits.py", 5.0), ("test_all.py", 0.1), ("test_whole.py", 1.0)):
        (root / file).write_text("")
        tests = [
            {"test": f"{file}::{name}", "seconds": took, "own": {"sdk/module.py": "ffff"}, "others": {}}
            for name, took in (("slow", 2 * seconds), ("fast", seconds))
        ]
        coverage.keep(file, {"tests": tests, "digests": {}})
    coverage.load(["test_whole.py", "test_all.py", "test_module_limits.py"])
    mutant, *_ = mutants_of("sdk/module.py", (root / "sdk/module.py").read_bytes())
    assert [test.node for test in coverage.covering(mutant)] == [
        "test_module_limits.py::fast",
        "test_module_limits.py::slow",
        "test_all.py::fast",
        "test_whole.py::fast",
        "test_all.py::slow",
        "test_whole.py::slow",
    ]


def test_a_recording_is_outdated_when_a_file_that_it_ran_has_changed(root: Path) -> None:
    coverage = CoverageMap(root, root / "coverage")
    assert coverage.outdated(["t.py"]) == ["t.py"]
    coverage.keep("t.py", {"tests": [], "digests": digests(root, {"sdk/module.py"})})
    assert coverage.outdated(["t.py"]) == []
    (root / "sdk/module.py").write_text("")
    assert coverage.outdated(["t.py"]) == ["t.py"]
