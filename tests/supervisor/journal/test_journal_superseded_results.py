"""Which results are of a try that is over: by number and time, as either alone may mislead."""

from dataclasses import replace

import pytest
from journal_support import claim

from supervisor.journal.claims import Claims
from supervisor.journal.records import Entry, State
from supervisor.journal.superseded_results import superseded


def entry(number: int, at: float, state: State = "waiting", job_id: str = "job") -> Entry:
    made = Entry(number, replace(claim(job_id), claimed_at=at))
    if state in ("waiting", "dead"):
        made = replace(made, result=b"r", finished_at=at)
    return replace(made, dead_reason="x") if state in ("dead", "set aside") else made


@pytest.mark.parametrize("state", ["running", "waiting", "dead", "set aside"])
def test_a_result_is_superseded_by_a_later_claim_of_its_job_whatever_became_of_that(state: State) -> None:
    assert superseded([entry(1, 1.0), entry(2, 2.0, state), entry(3, 3.0, job_id="other")]) == {1: 2}


def test_what_stands_for_a_refused_result_is_of_the_same_claim_and_supersedes_nothing() -> None:
    assert superseded([entry(1, 1.0), entry(2, 1.0)]) == {}
    assert superseded([entry(1, 1.0), entry(2, 1.0), entry(3, 2.0, "dead"), entry(4, 2.0)]) == {1: 4, 2: 4}


def test_what_does_not_wait_to_be_delivered_is_left_as_it_is() -> None:
    assert superseded([entry(1, 1.0, "dead"), entry(2, 1.0, "set aside"), entry(3, 2.0, "running")]) == {}


@pytest.mark.parametrize("at", [(2.0, 1.0), (1.0, 1.0)])
def test_a_clock_that_was_set_back_and_a_claim_that_was_renumbered_supersede_nothing(
    at: tuple[float, float],
) -> None:
    assert superseded([entry(1, at[0]), entry(2, at[1])]) == {}


def test_a_result_that_is_only_foreseen_is_of_a_job_that_runs_and_is_not_superseded() -> None:
    claims = Claims()
    rows = claims.add([claim("job"), replace(claim("job"), claimed_at=2.0)])
    claims.foresee(1, b"r", 1.0)
    assert claims.superseded() == {}
    claims.finish(1, b"r", 1.0)
    assert claims.superseded() == {1: rows[1].entry.number}
    assert claims.undelivered() == []
