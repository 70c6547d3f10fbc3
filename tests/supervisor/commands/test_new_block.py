"""`supervisor new-block`."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.config.findpaths import locate_config
from commands_support import supervisor, supervisor_here

from supervisor.commands.new_block import command as new_block
from supervisor.commands.new_block.names import IN_THE_TEMPLATE, BadNameError, names_of
from supervisor.commands.new_block.writer import module_text, pytest_config_above
from tests.patience import PATIENCE_SECONDS

# Nothing of this run: the configuration that was written is the one in force. Hypothesis is imported at the end of each
# run, used or not.
PYTEST = [
    *(sys.executable, "-m", "pytest", "-q", "-W", "error"),
    *("-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
]


@pytest.mark.parametrize("flags", [(), ("--reversible",)])
def test_a_new_block_passes_its_own_tests_and_the_check_and_runs_at_once(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    made = supervisor("new-block", "show_version", *flags, cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    tested = subprocess.run(
        PYTEST, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert "2 passed" in tested.stdout, tested.stdout
    assert (tested.returncode, tested.stderr) == (0, "")
    checked = supervisor("check", "--strict", cwd=tmp_path)
    assert (checked.returncode, checked.stdout) == (0, "1 block(s), 0 error(s), 0 warning(s)\n")
    ran = supervisor(
        *("run-block", "show_version", "--function-blocks", "show_version.py"),
        *("--params", '{"output": "a\\nb c", "include": "b"}'),
        cwd=tmp_path,
    )
    assert json.loads(ran.stdout)["data"] == {"lines": ["b c"]}


def test_pytest_takes_no_block_for_a_class_of_tests_whatever_it_is_called(tmp_path: Path) -> None:
    assert new_block.run(["testbed", "--directory", str(tmp_path), "--json"]) == 0
    tested = subprocess.run(
        PYTEST, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (tested.returncode, "2 passed" in tested.stdout) == (0, True), tested.stdout


ASYNC_FIXTURE = """
import pytest
@pytest.fixture
async def number():
    return 7
async def test_number(number):
    assert number == 7
"""


def test_an_async_fixture_works_with_the_configuration_that_is_written(tmp_path: Path) -> None:
    assert new_block.run(["one", "--directory", str(tmp_path), "--json"]) == 0
    (tmp_path / "one.py").unlink()
    (tmp_path / "number_test.py").write_text(ASYNC_FIXTURE)
    tested = subprocess.run(
        PYTEST, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (tested.returncode, "1 passed" in tested.stdout) == (0, True), tested.stdout


@pytest.fixture(scope="module")
def type_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy knows of all that a new block imports: the same for each."""
    return tmp_path_factory.mktemp("types")


@pytest.mark.parametrize("reversible", [False, True])
def test_the_new_module_is_clean_for_linter_formatter_and_type_checker(
    tmp_path: Path, type_cache: Path, reversible: bool
) -> None:
    module = tmp_path / "undo_it.py"
    module.write_text(module_text(names_of("undo_it"), reversible=reversible))
    for command in (
        ["ruff", "check", "--isolated", "--no-cache", "--select", "E4,E7,E9,F,I,UP,B,ANN,D1,RUF"],
        ["ruff", "format", "--isolated", "--no-cache", "--check"],
        ["mypy", "--strict", "--config-file=", f"--cache-dir={type_cache}"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, module.name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_three_commands_that_follow_are_printed_and_a_directory_is_made(tmp_path: Path) -> None:
    made = supervisor_here("new-block", "acme/show-version:1.2", "--directory", "a/b", cwd=tmp_path)
    assert made.returncode == 0
    assert "acme/show_version:1.2.0" in made.stdout
    assert "A hyphen became '_'" in made.stdout
    commands = [line.split()[:2] for line in made.stdout.partition("Next:")[2].splitlines() if line.strip()]
    assert commands == [
        ["pytest", "a/b/show_version.py"],
        ["supervisor", "check"],
        ["supervisor", "run-block"],
    ]
    assert (tmp_path / "a/b/pytest.ini").exists()


CONFIGURATIONS = [
    ("pytest.toml", ""),
    (".pytest.toml", ""),
    ("pytest.ini", ""),
    (".pytest.ini", ""),
    ("pyproject.toml", "[tool.pytest]\naddopts = ['-q']\n"),
    ("pyproject.toml", "[tool.pytest.ini_options]\n"),
    ("tox.ini", "[pytest]\n"),
    ("setup.cfg", "[tool:pytest]\n"),
]
"""Each form, in the order in which pytest looks for them."""


@pytest.mark.parametrize(("name", "text"), CONFIGURATIONS)
def test_a_configuration_of_pytest_that_is_in_force_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    config = tmp_path / name
    config.write_text(text)
    assert new_block.run(["one", "--directory", str(tmp_path / "sub"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pytest_config"] == str(config)
    assert new_block.run(["two", "--directory", str(tmp_path / "sub")]) == 0
    setting = "python_files = " + ("*.py" if name.endswith((".ini", ".cfg")) else '["*.py"]')
    assert f"set {setting} in {config}" in capsys.readouterr().out.replace("\n", " ")
    assert not list((tmp_path / "sub").glob("*pytest*"))


@pytest.mark.parametrize(
    "text", ["", "[tool.pytest]\n", "[tool.other]\nx = 1\n", "[tool]\npytest = 5\n", "["]
)
def test_a_pyproject_that_does_not_configure_pytest_is_no_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert pytest_config_above(tmp_path) is None


def test_of_two_configurations_the_one_that_pytest_takes_is_in_force(tmp_path: Path) -> None:
    """The last one is written first, and each that is added goes before those that are there."""
    for name, text in reversed(CONFIGURATIONS):
        (tmp_path / name).write_text(text)
        assert pytest_config_above(tmp_path) == tmp_path / name
        assert locate_config(tmp_path, [tmp_path])[1] == tmp_path / name


def test_nothing_that_is_there_is_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text("precious")
    (tmp_path / "taken").mkdir()
    assert new_block.run(["mine", "--directory", str(tmp_path)]) == 2
    assert f"{file} is there already" in capsys.readouterr().err
    assert new_block.run(["taken", "--directory", str(tmp_path)]) == 2
    assert "is a directory" in capsys.readouterr().err
    assert new_block.run(["other", "--directory", str(file)]) == 2
    assert capsys.readouterr().err.startswith("supervisor new-block: ")
    assert file.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "can't be the name"),
        ("a b", "can't be the name"),
        ("1st", "can't be the name"),
        ("x/y/z", "is not the name of a block"),
        ("a/b:1:2", "is not the name of a block"),
        ("a/b:one", "not a version"),
        ("a/b:", "not a version"),
        ("a b/c", "can't be the package"),
        ("class", "a word of the Python language"),
        ("json", "Python's own module 'json'"),
        ("sdk", "the worker's package 'sdk'"),
        ("netmiko", "the installed module 'netmiko'"),
        ("test_it", "a file of tests"),
        ("conftest", "a file of tests"),
        ("function_block", "would be called FunctionBlock, as what it imports"),
        ("FunctionBlock", "would be called FunctionBlock, as what it imports"),
        ("function_block_acquire", "would be called FunctionBlockAcquireResult"),
        ("acquire", "would be called AcquireParams"),
        ("OUTPUT", "would be called OUTPUT"),
        ("n" * 101, "has 101 characters"),
        ("p" * 101 + "/x", "has 101 characters"),
        ("../evil", "can't be the package"),
        ("a..b/evil", "can't be the package"),
    ],
)
def test_a_name_that_would_not_work_is_refused_with_the_reason(name: str, words: str) -> None:
    with pytest.raises(BadNameError, match=words):
        names_of(name)


def test_every_name_that_a_new_module_brings_along_is_kept_free() -> None:
    tree = ast.parse(module_text(names_of("one"), reversible=True))
    imported = {name.asname or name.name for node in ast.walk(tree) for name in getattr(node, "names", [])}
    assigned = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert imported | assigned == IN_THE_TEMPLATE


def test_the_longest_name_that_is_taken_can_be_written(tmp_path: Path) -> None:
    assert new_block.run(["n" * 100, "--directory", str(tmp_path)]) == 0
    assert new_block.run(["one", "--directory", str(tmp_path / ("d" * 300))]) == 2


def test_the_parts_of_a_name() -> None:
    names = names_of("acme/show-version:2")
    assert (names.block_id, names.name, names.class_name, names.title) == (
        "acme/show_version:2.0.0",
        "show_version",
        "ShowVersion",
        "Show version",
    )
    assert names_of("x", "my-team").block_id == "my_team/x:1.0.0"
