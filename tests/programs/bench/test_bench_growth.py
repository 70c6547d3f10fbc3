"""What the cases of growth read from a worker, and that each can be run by itself."""

import json
import subprocess
import sys
import time
from pathlib import Path

from sdk.devengine import JobRecord
from tests.programs.bench.growth.__main__ import CASES
from tests.programs.bench.growth.large_jobs import Hold, longest_holds


def record(claimed_at: float, finished_at: float) -> JobRecord:
    """A job with these stamps, in seconds of the calendar; the rest says nothing."""
    job = object.__new__(JobRecord)
    object.__setattr__(job, "claimed_at", claimed_at)
    object.__setattr__(job, "finished_at", finished_at)
    return job


def test_a_hold_belongs_to_the_job_that_ran_meanwhile(tmp_path: Path) -> None:
    now, offset = time.monotonic(), time.time() - time.monotonic()
    file = tmp_path / "holds"
    lines = [(now + 0.5, 0.03, 0.02), (now + 0.6, 0.01, 0.04), (now + 20, 9, 9)]
    file.write_text("".join(f"{at:.6f} {late:.6f} {cpu:.6f}\n" for at, late, cpu in lines))
    jobs = [record(now + offset, now + offset + 1), record(now + offset + 3, now + offset + 4)]
    assert longest_holds(file, jobs) == [Hold(0.03, 0.04), Hold(0.0, 0.0)]


def test_a_hold_that_begins_before_the_result_and_ends_long_after_it_counts(tmp_path: Path) -> None:
    now, offset = time.monotonic(), time.time() - time.monotonic()
    file = tmp_path / "holds"
    file.write_text(f"{now + 6:.6f} 5.500000 5.000000\n")
    assert longest_holds(file, [record(now + offset, now + offset + 1)]) == [Hold(5.5, 5.0)]


def test_one_case_runs_by_itself_and_its_figures_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.programs.bench.growth", "sleeps", "--quick", "--json", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    # 1 says that a target is not met, which is no matter of a test.
    assert ended.returncode in {0, 1}, ended.stderr
    (figure,) = json.loads(file.read_text())["figures"]
    assert figure["name"] in ended.stdout
    assert figure["value"] > 0


def test_a_case_that_is_not_there_is_refused_with_the_names_of_those_that_are() -> None:
    command = [sys.executable, "-m", "tests.programs.bench.growth", "nonsense"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert all(name in ended.stderr for name in CASES)
