"""What a process that has imported the libraries already must not change in the tests that run in its forks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """\
from tests.programs.mutants.forkserver import import_libraries
import_libraries()
import pytest
raise SystemExit(pytest.main(["-p", "no:cacheprovider", "-p", "no:xdist", {directory!r}]))
"""


def test_a_run_where_warnings_are_errors_passes_though_the_libraries_are_imported(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"
    )
    (tmp_path / "test_one.py").write_text("def test_one(): ...\n")
    command = [sys.executable, "-c", PROGRAM.format(directory=str(tmp_path))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
