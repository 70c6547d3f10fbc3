"""The steps of one job: each mark belongs to the job that ran, and every function that is marked is still there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs.bench.timeline.hops import ACCEPTED, IN_SUPERVISOR
from tests.programs.bench.timeline.reading import by_job, steps, table


def test_a_mark_belongs_to_the_job_that_was_claimed_last() -> None:
    marks = [(0.9, "early"), (1.1, "a"), (1.2, "a"), (2.3, "a"), (2.4, "b")]
    first, second = by_job(marks, [1.0, 2.0])
    assert first == pytest.approx({"a": 0.1})
    assert second == pytest.approx({"a": 0.3, "b": 0.4})


def test_steps_come_in_the_order_of_their_medians_and_their_shares_are_those_of_the_whole() -> None:
    jobs = [{"b": 0.004, "a": 0.001, ACCEPTED: 0.010, "after": 0.012}] * 5
    found = steps(jobs)
    assert [step.name for step in found] == ["a", "b", ACCEPTED, "after"]
    assert [step.share for step in found] == [pytest.approx(share) for share in (0.1, 0.3, 0.6)] + [None]
    assert [step.step_ms for step in found] == [pytest.approx(ms) for ms in (1, 3, 6, 2)]
    assert len(table(found).splitlines()) == 2 + len(found)


def test_a_step_that_few_jobs_have_is_left_out() -> None:
    jobs = [{"a": 0.001, ACCEPTED: 0.01}] * 9 + [{"a": 0.001, "rare": 0.002, ACCEPTED: 0.01}]
    assert [step.name for step in steps(jobs)] == ["a", ACCEPTED]


def test_every_step_is_seen_in_a_real_worker(tmp_path: Path) -> None:
    file = tmp_path / "steps.json"
    command = [sys.executable, "-m", "tests.programs.bench.timeline", "--jobs", "4", "--json", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=150)
    # Where a function got another name, hops.py has to follow.
    assert ended.returncode == 0, ended.stdout + ended.stderr
    names = {step["name"] for step in json.loads(file.read_text())["steps"]}
    assert names >= {hop.name for hop in IN_SUPERVISOR}
