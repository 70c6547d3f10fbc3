"""Where a job awaits when it is ended: with the author's lines, whoever waits for whom, and whatever the grace."""

import re
from typing import Any

import pytest
from hosting import TAKES_ITS_STACK, Host

WAYS = {
    "plain": ["run"],
    "run_parallel": ["run", "ask_one", "ask_another"],
    "gather": ["run", "ask_one", "ask_another"],
}


def stack_of(host: Host, text: str, **limits: Any) -> str:
    # Long enough for all its tasks to begin, also where it must wait for a processor.
    limits = {"max_job_seconds": 2.0} | limits
    done = host.run("under_test/hangs_awaiting", {"text": text}, limits=limits, do=TAKES_ITS_STACK)
    assert done["limit"] == "time", done["message"]
    stack: str = done["stack"]
    return stack


def functions(stack: str) -> list[str]:
    """The author's functions, in the order in which they are told."""
    return re.findall(r'waiting_blocks\.py", line \d+ in (\w+)', stack)


@pytest.mark.parametrize("grace_seconds", [0.0, 0.3])
@pytest.mark.parametrize("way", WAYS)
def test_every_task_of_a_job_that_hangs_shows_the_author_s_line(
    host: Host, way: str, grace_seconds: float
) -> None:
    stack = stack_of(host, way, grace_seconds=grace_seconds)
    found = functions(stack)
    assert sorted(found) == sorted(WAYS[way]), (
        stack
    )  # each once: what was told at the cancellation is not told again
    assert found[0] == WAYS[way][0]


def test_a_scheduled_task_that_outlives_its_cancellation_shows_the_author_s_line(host: Host) -> None:
    # A second before its deadline the job cancels it: too short a time, and it would never begin.
    stack = stack_of(host, "scheduled", max_job_seconds=1.5, grace_seconds=0.0)
    assert functions(stack) == ["stays"], stack


def test_tasks_at_one_place_are_told_together_and_of_many_places_the_number_left_out_is_told(
    host: Host,
) -> None:
    alike = stack_of(host, "alike")
    assert "and 299 more at the same place" in alike
    assert functions(alike) == ["run", "ask_one"]
    many = stack_of(host, "many places", grace_seconds=0.0)
    assert many.count("Awaiting in task") == 20
    assert "41 more tasks elsewhere are not shown" in many
