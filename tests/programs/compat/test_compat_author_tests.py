"""An author's own tests of such blocks, under pytest with this package's plugin, without neops_worker_sdk."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.patience import PATIENCE_SECONDS
from tests.programs.compat.processes import BLOCKS

LAB = """
from types import SimpleNamespace
import pytest

@pytest.fixture
def two_routers():
    raw = {"ansible_host": "10.0.0.1", "ansible_network_os": "frr"}
    return [SimpleNamespace(name=name, raw=raw) for name in ("r1", "r2")]
"""


def run_pytest(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    (directory / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\npython_files = *.py\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "-c",
        str(directory / "pytest.ini"),
    ]
    return subprocess.run(
        [*command, *arguments],
        cwd=BLOCKS,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_an_author_s_tests_pass_unedited_with_their_proxies_replaced_where_they_are_imported(
    tmp_path: Path,
) -> None:
    paths = f"pythonpath={BLOCKS}"
    done = run_pytest("-o", paths, str(BLOCKS / "tests" / "author_own_tests.py"), directory=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_cases_that_stand_at_a_block_are_collected_and_run_in_children(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    (tmp_path / "lab_for_this_test.py").write_text(LAB)
    lab = ("-o", f"pythonpath={tmp_path}", "-p", "lab_for_this_test")
    done = run_pytest(
        *lab, f"--junit-xml={report}", str(BLOCKS / "tested_beside_the_block.py"), directory=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    names = {case.get("name") for case in ElementTree.parse(report).iter("testcase")}
    assert {
        "test_listlogins_it_lists_the_logins",
        "test_listlogins_it_fails_without_credentials",
        "test_listlogins_on_a_device_of_the_lab",
    } <= names
