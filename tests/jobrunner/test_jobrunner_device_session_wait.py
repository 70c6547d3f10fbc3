"""A job's wait for a place on a device: an answer that is there counts, however late the job looks."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobrunner.device_sessions import WorkerPlaces


@pytest.mark.parametrize("has_answered", [True, False])
def test_an_answer_that_came_while_the_job_stood_still_is_heard_at_the_end_of_its_wait(
    has_answered: bool,
) -> None:
    """Otherwise the job would be told that all sessions are taken, although it has its place."""
    channel: Any = SimpleNamespace(is_mine=True, send=lambda _: None)
    answers = [1] if has_answered else []
    places = WorkerPlaces(channel, 1, lambda: [places.granted(number) for number in answers] and None)
    assert places.ask("r1").wait(0.0) is has_answered
