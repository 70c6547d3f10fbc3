"""Why a worker takes no jobs: each reason alone, and all of them together, what weighs most first."""

from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.worker.parts import engine_problem
from supervisor.worker.readiness import CAUSES, ReadinessFacts, Reason, why_not_ready

PAUSED = Reason("paused", "paused by user root until `supervisor resume`")


def test_a_worker_that_lacks_nothing_is_ready() -> None:
    assert why_not_ready(ReadinessFacts()) == ()


@pytest.mark.parametrize(
    ("facts", "cause", "words"),
    [
        ({"stopping": True}, "stopping", "stops"),
        ({"intake": PAUSED}, "paused", "paused by user root"),
        ({"child_problem": ""}, "starting", "first child is not ready yet"),
        ({"child_problem": "No process is left."}, "no_child", "No process is left."),
        ({"slots": 0}, "no_slot", "every slot is held"),
        ({"engine_problem": "no answer in time"}, "engine_silent", "no answer in time"),
        ({"delivery_problem": "it takes no results"}, "results_waiting", "it takes no results"),
        ({"blocks_problem": "none is accepted"}, "no_block", "none is accepted"),
    ],
)
def test_each_reason_alone_makes_it_unready_and_is_named(
    facts: dict[str, Any], cause: str, words: str
) -> None:
    (reason,) = why_not_ready(ReadinessFacts(**facts))
    assert reason.cause == cause
    assert words in reason.message
    assert cause in CAUSES


def test_what_weighs_most_comes_first() -> None:
    facts = ReadinessFacts(
        stopping=True,
        child_problem="none",
        engine_problem="away",
        blocks_problem="none is accepted",
    )
    assert [each.cause for each in why_not_ready(facts)] == [
        "stopping",
        "no_child",
        "engine_silent",
        "no_block",
    ]


def test_a_worker_that_does_not_poll_knows_from_the_heartbeat_that_the_engine_is_back() -> None:
    poller: Any = SimpleNamespace(problem="Connection refused")
    heard: Any = SimpleNamespace(problem=None)
    away: Any = SimpleNamespace(problem="no answer in time")
    assert engine_problem(poller, heard, asks_for_jobs=False) is None
    assert engine_problem(poller, away, asks_for_jobs=False) == "no answer in time"
    assert engine_problem(poller, heard, asks_for_jobs=True) == "Connection refused"
