"""How many results may wait before no more jobs are asked for."""

import pytest

from supervisor.journal import StoredResult
from supervisor.log.events.results import PollsHeldBack, PollsLetGo
from supervisor.worker.waiting_results import MOST_BYTES, MOST_RESULTS, WaitingResults
from tests.log_events import told


def result(number: int, size: int = 1, job_id: str = "") -> StoredResult:
    return StoredResult(number, job_id or f"job-{number}", bytes(size))


def too_many(results: WaitingResults) -> bool:
    return results.are_too_many


def test_at_a_thousand_no_more_jobs_are_asked_for_until_half_are_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    results = WaitingResults()
    for number in range(MOST_RESULTS):
        assert not too_many(results)
        results.add(result(number))
    assert too_many(results)
    for number in range(MOST_RESULTS // 2):
        assert too_many(results)
        results.remove(number)
    assert not too_many(results)
    assert told(caplog, PollsHeldBack) == [{"results": MOST_RESULTS, "megabytes": 0}]
    assert told(caplog, PollsLetGo) == [{"results": MOST_RESULTS // 2}]


def test_a_few_large_ones_are_too_many_as_well() -> None:
    results = WaitingResults()
    for number in range(4):
        assert not too_many(results)
        results.add(result(number, MOST_BYTES // 4))
    assert too_many(results)
    for number in range(2):
        results.remove(number)
    assert not too_many(results)


def test_results_are_found_by_their_jobs_and_nothing_is_left_of_those_that_are_gone() -> None:
    results = WaitingResults()
    for number in (1, 2):
        results.add(result(number, job_id="a"))
    results.add(result(3, job_id="b"))
    assert sorted(results.of_jobs({"a", "c"})) == [1, 2]
    for number in (1, 2, 3, 3):
        results.remove(number)
    assert (len(results), results.of_jobs({"a", "b"}), results._numbers, results._bytes) == (0, [], {}, 0)
