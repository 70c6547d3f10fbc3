"""The comparison of what workers tell with what was true: each untruth is seen, and a truth is not blamed."""

from dataclasses import replace
from typing import Any

import pytest

from tests.programs.scale_out.looks import Job, Look, evenness, lost_and_twice, wrong_in

LOOK = Look("w-1", 100.0, 100.2, ready=True, running=1, waiting=0, slots=2, jobs=frozenset({"a"}))
JOBS = [
    Job("a", "w-1", 90.0, 110.0, success=True),
    Job("other", "w-2", 90.0, 110.0, success=True),
    Job("earlier", "w-1", 80.0, 90.0, success=True),
    Job("later", "w-1", 105.0, 110.0, success=True),
    Job("just come", "w-1", 99.9, 110.0, success=True),
    Job("just gone", "w-1", 90.0, 99.9, success=True),
    Job("pending", None, None, None, success=None),
]


def test_what_is_true_is_not_blamed_and_what_comes_or_goes_in_that_moment_may_be_told_or_not() -> None:
    assert wrong_in(LOOK, JOBS) == []
    assert wrong_in(replace(LOOK, jobs=frozenset({"a", "just come", "just gone"})), JOBS) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"jobs": frozenset({"a", "other"})}, "tells of 1 jobs that it has not"),
        ({"jobs": frozenset({"a", "earlier"})}, "tells of 1 jobs that it has not"),
        ({"jobs": frozenset({"a", "later"})}, "tells of 1 jobs that it has not"),
        ({"jobs": frozenset({"a", "unknown"})}, "tells of 1 jobs that it has not"),
        ({"jobs": frozenset()}, "tells nothing of 1 jobs"),
        ({"running": 3}, "runs 3 jobs in 2 slots"),
        ({"waiting": 3}, "counts 4 jobs where it has 3 at most"),
        ({"ready": False}, "not ready"),
    ],
)
def test_each_untruth_is_seen(changes: dict[str, Any], said: str) -> None:
    (wrong,) = wrong_in(replace(LOOK, **changes), JOBS)
    assert said in wrong


def test_a_job_without_a_result_is_lost_and_two_runs_of_one_are_counted() -> None:
    jobs = [job for job in JOBS if job.id != "pending"]
    assert lost_and_twice(jobs, ["a", "other"], len(jobs)) == (0, 0)
    assert lost_and_twice(JOBS, ["a", "a", "a", "other"], len(JOBS)) == (1, 1)


def test_workers_that_share_evenly_are_at_one_and_one_that_does_all_is_at_its_part() -> None:
    jobs = [Job(str(number), f"w-{number % 2}", 1.0, 2.0, success=True) for number in range(10)]
    assert evenness(jobs, ["w-0", "w-1"]) == 1.0
    assert evenness([job for job in jobs if job.worker == "w-0"], ["w-0", "w-1"]) == 0.5
