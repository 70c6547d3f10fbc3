"""Our worker against the outcomes that the reference worker gave, and what the comparison would say of a difference."""

import subprocess
import sys
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.programs.compat.comparing import Difference, compare, read_differences
from tests.programs.compat.jobs import JOBS
from tests.programs.compat.outcomes import read_kept
from tests.programs.compat.processes import ROOT

GOOD: dict[str, Any] = {
    "success": True,
    "message": "Done",
    "data": {"a": 1},
    "acquires": None,
    "dbUpdates": None,
}
FAILED: dict[str, Any] = {
    **GOOD,
    "success": False,
    "message": "Error executing function block: no",
    "data": None,
}
MEANT = Difference("it says where", says=("ValueError: no",))


def test_every_job_gives_in_both_modes_what_the_reference_worker_gave() -> None:
    command = [sys.executable, "-m", "tests.programs.compat"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"alias mode (sdk.compat.alias)\n  {JOBS[0].name}" in done.stdout
    assert "stand-in mode (by a stand-in for the package)" in done.stdout
    assert done.stdout.count(", 0 not as they must be") == 2


def test_the_reference_worker_has_run_exactly_these_jobs() -> None:
    assert set(read_kept()["outcomes"]) == {job.name for job in JOBS}


@pytest.mark.parametrize("mode", ["alias", "stand-in", "installed"])
def test_only_failures_and_known_faults_of_the_reference_are_listed_as_different(mode: str) -> None:
    kept = read_kept()["outcomes"]
    for name, meant in read_differences(mode).items():
        assert meant.reason
        assert meant.parts or not kept[name]["success"], name


@pytest.mark.parametrize("part", ["success", "message", "data", "acquires", "dbUpdates"])
def test_a_difference_in_any_part_that_is_not_listed_is_a_problem(part: str) -> None:
    row = compare("a job", GOOD, {**GOOD, part: "another"}, None)
    assert row.verdict == "different"
    assert part in row.problem


def test_a_listed_difference_passes_only_where_it_is_as_listed() -> None:
    ours = {**FAILED, "message": "x raised ValueError: no (file:3)"}
    assert compare("a job", FAILED, ours, MEANT).problem == ""
    assert "does not say" in compare("a job", FAILED, {**ours, "message": "KeyError"}, MEANT).problem
    assert "success" in compare("a job", FAILED, {**ours, "success": True}, MEANT).problem


def test_a_listed_difference_that_is_none_is_a_problem() -> None:
    assert "and is not" in compare("a job", FAILED, FAILED, MEANT).problem


def test_a_job_that_the_reference_worker_never_ran_is_a_problem() -> None:
    assert "make reference" in compare("a job", None, GOOD, None).problem
