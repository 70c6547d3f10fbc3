"""Lines that run in children count as covered, whichever way an author measures."""

import json
import os
import sys
from pathlib import Path

import pytest
from author_project import INI
from harness_support import block_module

from jobrunner.protocol.coverage import COVERAGE_VARIABLE
from sdk.testing import child_coverage

pytest_plugins = ["pytester"]

BODY = """
if params.text == "hang":
    here = 1
    time.sleep(600)
if params.text == "crash":
    there = 1
    time.sleep(2)
    os.kill(os.getpid(), 11)
if params.text == "never":
    return ok()
assert "NEOPS_TESTS_COVERAGE" not in os.environ
return ok()
"""
CASES = """
@fb_test_case("works", Params(), None)
"""
KILLED = """
def test_killed(block_runner):
    block_runner.run(Sample, Params(text="hang"), max_seconds=4, grace_seconds=0).assert_killed(by="time limit")
    block_runner.run(Sample, Params(text="crash")).assert_crashed("SIGSEGV")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    # Whoever measures this suite must not measure the nested run instead.
    for name in [name for name in os.environ if name.startswith(("COV_", "COVERAGE"))]:
        monkeypatch.delenv(name)
    pytester.makeini(INI)
    return pytester


def covered(pytester: pytest.Pytester, name: str) -> dict[str, bool]:
    """Which statements of the block's `run` count as covered."""
    done = pytester.run(sys.executable, "-m", "coverage", "json", "-q", "-o", "report.json")
    assert done.ret == 0
    files = json.loads(Path(pytester.path, "report.json").read_text())["files"]
    found = next(report for path, report in files.items() if path.endswith(f"{name}.py"))
    lines = Path(pytester.path, f"{name}.py").read_text().splitlines()
    wanted = ("here = 1", "there = 1", "assert", "return ok()")
    numbers = {
        number: line.strip() for number, line in enumerate(lines, 1) if line.strip().startswith(wanted)
    }
    return {f"{number}: {text}": number in found["executed_lines"] for number, text in numbers.items()}


def values(pytester: pytest.Pytester, name: str) -> list[bool]:
    return list(covered(pytester, name).values())


def test_pytest_cov_counts_what_ran_in_a_child(project: pytest.Pytester) -> None:
    project.makepyfile(with_cov=block_module("with_cov", BODY, cases=CASES) + KILLED)
    project.runpytest_subprocess("--cov=.", "--cov-branch", "--cov-report=").assert_outcomes(passed=2)
    # The child that was killed at its limit, and the one that crashed, as well; what no case asked for, not.
    assert values(project, "with_cov") == [True, True, False, True, True]


def test_coverage_run_counts_it_with_its_own_configuration_and_leaves_no_files(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(with_run=block_module("with_run", BODY, cases=CASES))
    Path(project.path, ".coveragerc").write_text("[run]\nrelative_files = true\nsource = .\n")
    done = project.run(sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q")
    done.stdout.fnmatch_lines(["1 passed*"])
    assert values(project, "with_run") == [False, False, False, True, True]
    assert [path.name for path in project.path.glob(".coverage*")] != []
    assert {path.name for path in project.path.glob(".coverage.*")} == set()


def test_cases_spread_over_processes_are_counted_too(project: pytest.Pytester) -> None:
    project.makepyfile(spread=block_module("spread", BODY, cases=CASES))
    project.runpytest_subprocess("-n", "1", "-p", "xdist", "--cov=.", "--cov-report=").assert_outcomes(
        passed=1
    )
    assert values(project, "spread") == [False, False, False, True, True]


def test_jobs_of_a_real_worker_are_counted_too(project: pytest.Pytester) -> None:
    project.makepyfile(
        by_worker=block_module("by_worker", BODY),
        test_by_worker="""
        import by_worker

        def test_it(dev_engine, supervisor_process):
            job = dev_engine.wait_for_result(dev_engine.submit(by_worker.Sample))
            assert job.result_status == "success", job.result
        """,
    )
    project.runpytest_subprocess("--cov=.", "--cov-report=").assert_outcomes(passed=1)
    assert values(project, "by_worker") == [False, False, False, True, True]


def test_without_the_library_nothing_is_measured(project: pytest.Pytester) -> None:
    project.makeconftest("import sys; sys.modules['coverage'] = None")
    project.makepyfile(unmeasured=block_module("unmeasured", BODY, cases=CASES))
    project.runpytest_subprocess("-p", "no:pytest_cov").assert_outcomes(passed=1)


def test_both_sides_mean_the_same_variable() -> None:
    assert child_coverage.VARIABLE == COVERAGE_VARIABLE
