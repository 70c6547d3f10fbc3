"""The dead are waited for at ordinary priority, whatever precedence the worker has taken."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from supervisor.process.realtime_priority import RealtimePriority
from supervisor.process.reaping import wait_for
from tests.capabilities import need


@pytest.fixture
def precedence() -> Iterator[RealtimePriority]:
    need("real-time priority")
    precedence = RealtimePriority()
    precedence.take()
    try:
        assert os.sched_getscheduler(0) == os.SCHED_RR
        yield precedence
    finally:
        precedence.give_back()


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The scheduling policy of this thread at each `os.wait4`."""
    seen: list[int] = []
    wait4 = os.wait4

    def looking(*arguments: Any) -> Any:
        seen.append(os.sched_getscheduler(0))
        return wait4(*arguments)

    monkeypatch.setattr(os, "wait4", looking)
    return seen


def a_dead_child() -> int:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    process.returncode = 3  # it is waited for here, not by its object
    return process.pid


def test_the_dead_are_waited_for_at_ordinary_priority_and_the_precedence_comes_back(
    precedence: RealtimePriority, policies: list[int]
) -> None:
    pid = a_dead_child()
    done, status, usage = wait_for(pid)
    assert (done, os.waitstatus_to_exitcode(status)) == (pid, 3)
    assert usage.ru_maxrss > 0
    assert policies == [os.SCHED_OTHER]
    assert os.sched_getscheduler(0) == os.SCHED_RR


def test_a_precedence_that_is_given_back_while_one_waits_stays_given_back(
    precedence: RealtimePriority, policies: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    wait4 = os.wait4

    def given_back(*arguments: Any) -> Any:
        precedence.give_back()
        return wait4(*arguments)

    monkeypatch.setattr(os, "wait4", given_back)
    try:
        wait_for(a_dead_child())
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
    finally:
        precedence.take()


def test_without_precedence_nothing_is_changed(policies: list[int]) -> None:
    before = os.sched_getscheduler(0)
    with pytest.raises(ChildProcessError):
        wait_for(os.getppid())
    assert policies == [before]
    assert os.sched_getscheduler(0) == before
