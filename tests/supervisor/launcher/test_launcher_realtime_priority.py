"""RealtimePriority: taken with the first job, given back with the last, by all threads, and lent for a moment."""

import os
import threading

import pytest

from supervisor.process import realtime_priority as precedence_module
from supervisor.process.realtime_priority import RealtimePriority, normal_priority


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """Policy and priority of each thread, as the kernel would keep them; this process keeps its own."""
    kept: dict[int, tuple[int, int]] = {}

    def here(pid: int) -> int:
        return pid or threading.get_native_id()

    def change(pid: int, policy: int, parameter: os.sched_param) -> None:
        kept[here(pid)] = policy, parameter.sched_priority

    monkeypatch.setattr(os, "sched_setscheduler", change)
    monkeypatch.setattr(os, "sched_getscheduler", lambda pid: kept.get(here(pid), (os.SCHED_OTHER, 0))[0])
    precedence_module._taken.clear()
    return kept


def test_it_is_taken_once_by_all_threads_and_given_back_with_the_last(
    policies: dict[int, tuple[int, int]],
) -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        precedence = RealtimePriority()
        precedence.take()
        mine = threading.get_native_id()
        assert {policies[mine], policies[thread.native_id or 0]} == {(os.SCHED_RR, 1)}
        policies.clear()
        precedence.take()
        precedence.give_back()
        assert policies == {}
        precedence.give_back()
        assert {policies[mine], policies[thread.native_id or 0]} == {(os.SCHED_OTHER, 0)}
        precedence.take()
        assert policies[mine] == (os.SCHED_RR, 1)
        precedence.give_back()
    finally:
        over.set()
        thread.join()


def test_where_it_is_not_allowed_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    precedence = RealtimePriority()
    precedence.take()
    precedence.give_back()
    assert not precedence_module._taken.is_set()


def test_among_others_is_for_this_thread_and_this_moment(policies: dict[int, tuple[int, int]]) -> None:
    precedence = RealtimePriority()
    precedence.take()
    mine = threading.get_native_id()
    with normal_priority():
        assert policies[mine] == (os.SCHED_OTHER, 0)
    assert policies[mine] == (os.SCHED_RR, 1)

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), normal_priority():
        fail()
    assert policies[mine] == (os.SCHED_RR, 1)
    with normal_priority():
        precedence.give_back()
    assert policies[mine] == (os.SCHED_OTHER, 0)


def test_a_thread_without_precedence_is_left_as_it_is(policies: dict[int, tuple[int, int]]) -> None:
    """Where the kernel has refused it, or for a thread that somebody has set otherwise."""
    precedence = RealtimePriority()
    precedence.take()
    policies.clear()
    with normal_priority():
        assert policies == {}
    assert policies == {}
    precedence.give_back()
    policies[threading.get_native_id()] = (os.SCHED_RR, 50)
    with normal_priority():
        assert policies[threading.get_native_id()] == (os.SCHED_RR, 50)


def test_without_a_descriptor_it_is_this_thread_that_goes_first_and_nothing_is_raised(
    policies: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: str) -> list[str]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "listdir", refused)
    precedence = RealtimePriority()
    precedence.take()
    assert policies == {threading.get_native_id(): (os.SCHED_RR, 1)}
    precedence.give_back()
    assert policies == {threading.get_native_id(): (os.SCHED_OTHER, 0)}
