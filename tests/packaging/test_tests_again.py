"""`deploy/tests_again.sh`: what failed beside others gets one more try, alone, and is named; nothing else does."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

SCRIPT = Path(__file__).parents[2] / "deploy" / "tests_again.sh"
FLAKY = """
import pathlib, pytest
seen = pathlib.Path(__file__).parent / "seen"

@pytest.mark.parametrize("number", range({failures}))
def test_flaky(number):
    mark = seen / str(number)
    first = not mark.exists()
    mark.touch()
    assert not first
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "seen").mkdir()
    shutil.copy(SCRIPT, tmp_path / "deploy")
    (tmp_path / "deploy" / "bootstrap.sh").write_text(
        f'shift 2\nPATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\nexec "$@"\n'
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:hypothesispytest\n")
    return tmp_path


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def first_run(checkout: Path, failures: int) -> None:
    (checkout / "test_flaky.py").write_text(FLAKY.format(failures=failures))
    assert run(checkout, sys.executable, "-m", "pytest", "-q", "-p", "no:neops_supervisor").returncode == 1


def again(checkout: Path) -> subprocess.CompletedProcess[str]:
    return run(checkout, "sh", "deploy/tests_again.sh", "python3", "stable")


def test_what_passes_alone_is_forgiven_and_named(checkout: Path) -> None:
    first_run(checkout, 2)
    done = again(checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    names = ["test_flaky.py::test_flaky[0]", "test_flaky.py::test_flaky[1]"]
    assert (checkout / ".pytest_cache" / "passed_alone").read_text().splitlines() == names
    assert done.stdout.splitlines()[-3:] == ["tests_again: failed beside others, passed alone:", *names]


def test_what_fails_again_has_failed(checkout: Path) -> None:
    first_run(checkout, 1)
    shutil.rmtree(checkout / "seen")
    (checkout / "seen").mkdir()
    assert again(checkout).returncode == 1
    assert not (checkout / ".pytest_cache" / "passed_alone").exists()


def test_a_run_in_which_many_failed_is_not_forgiven(checkout: Path) -> None:
    first_run(checkout, 11)
    done = again(checkout)
    assert (done.returncode, done.stderr) == (
        1,
        "tests_again: 11 tests failed; up to 10 would be run again\n",
    )


def test_a_run_that_failed_without_a_test_is_not_forgiven(checkout: Path) -> None:
    done = again(checkout)
    assert done.returncode == 1
    assert "the run itself did" in done.stderr
