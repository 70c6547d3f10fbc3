"""A failure that comes with each try is said at once and then now and then, and its end once."""

import logging

import pytest

from supervisor.launcher.repeating_failure import AGAIN_SECONDS, RepeatingFailure
from supervisor.log.events.processes import ChildrenFailing, ChildrenRestored

NO_MEMORY = "No memory. The worker tries again."


def test_the_same_is_said_again_after_half_a_minute_and_another_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 1000.0
    failure = RepeatingFailure(logging.getLogger("test"), lambda: now)
    for at in (0.0, 1.0, AGAIN_SECONDS - 1, AGAIN_SECONDS, AGAIN_SECONDS + 1):
        now = 1000.0 + at
        failure.failed(ChildrenFailing(reason="No memory.", evidence=""))
    assert [record.getMessage() for record in caplog.records] == [NO_MEMORY] * 2
    failure.failed(ChildrenFailing(reason="No process.", evidence=""))
    assert caplog.records[-1].getMessage() == "No process. The worker tries again."


def test_its_end_is_said_once_and_only_where_it_was_said_and_then_the_same_is_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    failure = RepeatingFailure(logging.getLogger("test"))
    failure.over(ChildrenRestored())
    failure.failed(ChildrenFailing(reason="No memory.", evidence=""))
    for _ in range(2):
        failure.over(ChildrenRestored())
    failure.failed(ChildrenFailing(reason="No memory.", evidence=""))
    assert [record.getMessage() for record in caplog.records] == [NO_MEMORY, ChildrenRestored.text, NO_MEMORY]
