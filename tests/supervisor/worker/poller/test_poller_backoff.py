"""Coming back after an outage: soon, and not all at once. Time is simulated."""

import random

import pytest

from supervisor.engine.backoff import Backoff
from supervisor.worker.outbox import LONGEST_PAUSE_SECONDS as LONGEST_DELIVERY_PAUSE_SECONDS
from supervisor.worker.poller import LONGEST_PAUSE_SECONDS as LONGEST_POLL_PAUSE_SECONDS

WORKERS = 1000
MOST_IN_A_SECOND = 0.4


def return_times(
    longest_seconds: float, outage_seconds: float, *, wanted: float | None = None
) -> list[float]:
    """When each of a thousand workers asks for the first time after the engine's return, which is at 0."""
    times: list[float] = []
    for seed in range(WORKERS):
        backoff = Backoff(first_seconds=1.0, longest_seconds=longest_seconds, rng=random.Random(seed))
        # All of them lost the engine in the same moment: that is the bad case.
        now = -outage_seconds
        while now < 0:
            now += backoff.next_pause(wanted)
        times.append(now)
    return sorted(times)


@pytest.mark.parametrize("longest", [LONGEST_POLL_PAUSE_SECONDS, LONGEST_DELIVERY_PAUSE_SECONDS])
@pytest.mark.parametrize("outage_seconds", [10.0, 1800.0])
def test_a_thousand_workers_are_back_within_five_seconds_and_not_in_one(
    longest: float, outage_seconds: float
) -> None:
    times = return_times(longest, outage_seconds)
    assert times[-1] <= 5.0
    assert busiest_second(times) <= MOST_IN_A_SECOND * WORKERS


def test_workers_that_are_told_the_same_time_to_wait_do_not_return_at_the_same_moment() -> None:
    times = return_times(LONGEST_POLL_PAUSE_SECONDS, 0.001, wanted=30.0)
    assert times[0] >= 30.0 - 0.001
    assert busiest_second(times) <= MOST_IN_A_SECOND * WORKERS


def test_it_begins_anew_after_a_success() -> None:
    backoff = Backoff(first_seconds=0.1, longest_seconds=100.0)
    for _ in range(30):
        backoff.next_pause()
    backoff.reset()
    assert backoff.next_pause() <= 0.1


def busiest_second(times: list[float]) -> int:
    return max(sum(start <= time < start + 1.0 for time in times) for start in times)
