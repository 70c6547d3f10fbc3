"""A project of an author, laid out as the architecture page has it: what is collected, and how it is chosen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from author_project import SharedServer
from harness_support import block_module

from sdk import registry
from sdk.testing.server import ServerProcess
from tests.patience import PATIENCE_SECONDS

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]

INI = """
[pytest]
testpaths = tests examples io
norecursedirs = docs make_scripts .venv .git __pycache__ *.egg-info
python_files = *.py
markers = slow: an author's own
filterwarnings = error
asyncio_default_fixture_loop_scope = function
addopts = --strict-markers --strict-config -p no:hypothesispytest -p no:cacheprovider
"""

WITHOUT = ("-p", "no:hypothesispytest")
"""Where there is no such configuration: each run imports hypothesis at its end, used or not."""

CONFTEST = """
import pytest

@pytest.fixture
def simple_lab():
    return [{"hostname": "from_root", "ip": "127.0.0.1"}]
"""

USES_HELPER = """
from words import WORD
@fb_test_case("knows the word", Params(text="a"), None, expected_result_data={"text": "a"})
@fb_test_case("with a lab", Params(text="b"), None, expected_result_data={"text": "b"})
"""

LAB = """
from sdk.testing import fb_test_case_with_lab
@fb_test_case_with_lab("in the lab", Params(), remote_lab_fixture="simple_lab",
                       expected_result_data={"text": "from_root"})
"""

TESTS = """
from first_of_layout import *  # brings the block, and its cases, which are not this module's

import pytest

@pytest.mark.sdk
def test_plain():
    assert Sample.registration.name == "first_of_layout"

@pytest.mark.testing
def test_runs(block_runner):
    block_runner.run(Sample, Params(text="c")).assert_succeeded({"text": "c"})
"""

ALL = [
    "examples/lab_of_layout.py::test_sample_in_the_lab",
    "io/first_of_layout.py::test_sample_knows_the_word",
    "io/first_of_layout.py::test_sample_with_a_lab",
    "tests/test_first.py::test_plain",
    "tests/test_first.py::test_runs",
]


@pytest.fixture
def project(
    pytester: pytest.Pytester, neops_block_server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    # Each test has the same blocks in another place, and nested runs share this process's registry.
    monkeypatch.setattr(registry, "function_blocks", dict(registry.function_blocks))
    pytester.plugins.append(SharedServer(neops_block_server))
    files = {
        "pytest.ini": INI,
        "conftest.py": f"import sys; sys.path.append({str(pytester.path / 'io')!r})\n{CONFTEST}",
        "io/words.py": "WORD = 'helper'\n",
        "io/first_of_layout.py": block_module("first_of_layout", cases=USES_HELPER),
        "examples/lab_of_layout.py": block_module(
            "lab_of_layout", "return ok(context.device.hostname)", cases=LAB, run_on="device"
        ),
        "tests/test_first.py": TESTS,
        "docs/not_collected.py": "raise RuntimeError('docs are not collected')\n",
    }
    for name, text in files.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return pytester


def collected(project: pytest.Pytester, *arguments: str) -> list[str]:
    result = project.runpytest("--collect-only", "-q", *arguments)
    return sorted(line for line in result.stdout.lines if "::" in line)


def test_each_case_is_collected_once_from_the_block_s_own_module(project: pytest.Pytester) -> None:
    assert collected(project) == ALL
    project.runpytest().assert_outcomes(passed=len(ALL))


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("function_block", ALL[:3]),
        ("not function_block", ALL[3:]),
        ("remote_lab", ALL[:1]),
        ("function_block and not remote_lab", ALL[1:3]),
        ("sdk or testing", ALL[3:]),
    ],
)
def test_markers_choose(project: pytest.Pytester, expression: str, chosen: list[str]) -> None:
    assert collected(project, "-m", expression) == chosen


def test_one_case_is_run_by_its_id_or_a_part_of_its_name(project: pytest.Pytester) -> None:
    project.runpytest(ALL[1]).assert_outcomes(passed=1)
    project.runpytest("-k", "knows_the_word").assert_outcomes(passed=1, deselected=4)


def test_a_misspelt_marker_is_an_error(project: pytest.Pytester) -> None:
    (project.path / "tests" / "test_misspelt.py").write_text(
        "import pytest\n@pytest.mark.function_blok\ndef test_it(): pass\n"
    )
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'function_blok' not found in `markers`*"])


def test_cases_can_be_spread_over_processes(project: pytest.Pytester) -> None:
    project.plugins.clear()
    project.runpytest_subprocess("-n", "2").assert_outcomes(passed=len(ALL))


def test_the_plugin_can_be_left_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    pytester.runpytest_subprocess("-p", "no:neops_supervisor", "-p", "no:xdist", *WITHOUT).assert_outcomes(
        passed=1
    )
    shown = pytester.runpytest_subprocess("-p", "no:neops_supervisor", "--fixtures", *WITHOUT).stdout.str()
    assert "block_runner" not in shown


HARMLESS = """
import importlib, sys
for missing in ("pytest", "asyncssh", "coverage", "_pytest"):
    sys.modules[missing] = None
sys.path.insert(0, {directory!r})
for name in ("naming_facts", "port_description", "reachability"):
    module = importlib.import_module("blocks.examples." + name)
    added = [each for each in vars(module) if each.startswith("test_") and hasattr(vars(module)[each], "neops_block")]
    assert added == [], added
import careless
assert careless.Sample.registration.name == "careless"
assert not any(name.startswith("sdk.testing.plugin") for name in sys.modules)
"""

CARELESS = """
from sdk.testing import fb_test_case_with_lab
@fb_test_case_with_lab("with nothing to check or to run on", Params())
"""


def test_in_an_image_without_pytest_every_decorator_returns_the_class_and_nothing_fails(
    tmp_path: Path,
) -> None:
    (tmp_path / "careless.py").write_text(block_module("careless", cases=CARELESS))
    program = HARMLESS.format(directory=str(tmp_path))
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_SECONDS, env={**os.environ})


def test_examples_are_found_only_where_they_are_named() -> None:
    from jobrunner.discovery.module import name_package
    from jobrunner.discovery.sources import modules_of

    def names(source: str) -> set[str]:
        return {module.name.rpartition(".")[2] for module in modules_of(source).modules}

    examples = {"naming_facts", "port_description", "reachability"}
    assert not examples & names("blocks")
    assert not examples & names("entry-points")
    assert not examples & names(str(ROOT / "blocks"))
    assert names("blocks.examples") == {"examples", *examples}
    directory = ROOT / "blocks" / "examples"
    assert names(str(directory)) == {name_package(directory.resolve()), *examples}
    assert "echo" in names(str(ROOT / "blocks"))


def test_an_author_without_any_configuration_is_told_of_none(pytester: pytest.Pytester) -> None:
    """pytest-asyncio asks for a setting of its own in each run, by a warning on stderr."""
    pytester.makepyfile("def test_nothing(): ...")
    done = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", *WITHOUT)
    assert done.ret == 0
    assert "asyncio_default_fixture_loop_scope" not in done.stdout.str() + done.stderr.str()
