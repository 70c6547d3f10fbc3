"""How long each wait of a job's end may take: together they bound the end, so that each is fixed here."""

import pytest

from supervisor.lifecycle import durations
from supervisor.lifecycle import quarantine as poison


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("LINGER_SECONDS", 2.0),
        ("STACK_SECONDS", 0.25),
        ("FREEZE_SECONDS", 4.0),
        ("CLOSED_CHANNEL_SECONDS", 0.5),
        ("UNKILLABLE_SECONDS", 5.0),
        ("DRAIN_SECONDS", 1.0),
    ],
)
def test_each_wait_of_the_end_is_as_long_as_it_is_meant_to_be(name: str, seconds: float) -> None:
    assert getattr(durations, name) == seconds


def test_a_stack_delays_the_kill_by_no_more_than_a_limit_may_be_late() -> None:
    """I6: SIGKILL follows within 250 ms after the grace."""
    assert durations.STACK_SECONDS <= 0.25


def test_three_deaths_make_an_hour_of_quarantine_for_a_thousand_jobs() -> None:
    assert (poison.DEATHS, poison.QUARANTINE_SECONDS, poison.MOST_JOBS) == (3, 3600.0, 1000)
