"""The keeper's steps, one by one: what it signals, in which order, and when it is content. No process is touched."""

import errno
import itertools
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor import keeper
from supervisor.process import kept
from supervisor.process.unreapable import exit_status_of

STOP, KILL = signal.SIGSTOP, signal.SIGKILL


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything that is signalled, reaped and slept."""
    made: list[Any] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: made.append((number, pid)))
    monkeypatch.setattr(keeper, "_reap", lambda: made.append("reap"))
    monkeypatch.setattr(keeper.time, "sleep", lambda seconds: made.append("sleep") if seconds > 0 else None)
    return made


def rounds(monkeypatch: pytest.MonkeyPatch, *children: set[int]) -> None:
    left = iter(children)
    monkeypatch.setattr(keeper, "_children", lambda _: next(left, set()))


def test_all_are_stopped_before_the_first_is_killed_and_what_they_hand_up_is_next(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any]
) -> None:
    rounds(monkeypatch, {11, 12}, {13})
    assert keeper.kill_all_children(60.0) == 3
    assert calls == [
        (STOP, 11), (STOP, 12), (KILL, 11), (KILL, 12), "reap", "sleep", (STOP, 13), (KILL, 13), "reap", "sleep",
    ]  # fmt: skip


def test_without_children_nothing_is_done(monkeypatch: pytest.MonkeyPatch, calls: list[Any]) -> None:
    rounds(monkeypatch, set())
    assert keeper.kill_all_children(60.0) == 0
    assert calls == []


def test_one_that_must_be_killed_twice_is_counted_once(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any]
) -> None:
    rounds(monkeypatch, {11}, {11})
    assert keeper.kill_all_children(60.0) == 1
    assert calls.count((KILL, 11)) == 2


@pytest.mark.parametrize("error", [ProcessLookupError, PermissionError])
def test_one_that_is_gone_or_not_ours_to_kill_keeps_no_other_alive(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any], error: type[OSError]
) -> None:
    def kill(pid: int, number: int) -> None:
        if pid == 11:
            raise error
        calls.append((number, pid))

    monkeypatch.setattr(os, "kill", kill)
    rounds(monkeypatch, {11, 12})
    keeper.kill_all_children(60.0)
    assert [call for call in calls if isinstance(call, tuple)] == [(STOP, 12), (KILL, 12)]


@pytest.mark.parametrize(("seconds_of_a_round", "rounds"), [(0.1, 50), (1, 20), (60, 20)])
def test_what_can_not_be_killed_is_given_up_when_the_time_is_over_but_not_before_it_was_tried(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any], seconds_of_a_round: float, rounds: int
) -> None:
    """The machine may stand still at any moment, and all the time with it."""
    clock = itertools.count(100, seconds_of_a_round)
    monkeypatch.setattr(
        keeper, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: calls.append("sleep"))
    )
    monkeypatch.setattr(keeper, "_children", lambda _: {11})
    assert keeper.kill_all_children(5.0) == 1
    assert calls.count("sleep") == pytest.approx(rounds, abs=1)


def test_signals_are_passed_on_until_the_supervisor_has_ended(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any]
) -> None:
    heard = iter([signal.SIGHUP, signal.SIGCHLD, signal.SIGIO, signal.SIGTERM, signal.SIGCHLD])
    waited = iter([*[(0, 0)] * 3, (7, signal.SIGSEGV)])
    monkeypatch.setattr(
        signal, "sigtimedwait", lambda numbers, seconds: SimpleNamespace(si_signo=next(heard))
    )
    monkeypatch.setattr(os, "waitpid", lambda pid, options: next(waited))
    monkeypatch.setattr(keeper, "exit_status_of", lambda pid: None)
    assert keeper._Waiting(7, None).wait() == (-signal.SIGSEGV, False)
    assert calls == [(signal.SIGHUP, 7), (signal.SIGTERM, 7)]


def test_the_dead_are_waited_for_until_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = iter([(11, 0), (12, 0), (0, 0)])
    monkeypatch.setattr(os, "waitpid", lambda pid, options: next(waited))
    keeper._reap()
    assert next(waited, None) is None


def test_where_there_is_nobody_to_wait_for_nothing_is_wrong() -> None:
    """`waitpid` raises then."""

    def waitpid(pid: int, options: int) -> tuple[int, int]:
        raise ChildProcessError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "waitpid", waitpid)
        keeper._reap()


def test_the_cgroups_that_were_left_to_the_keeper_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[tuple[Path, float]] = []
    monkeypatch.setattr(keeper, "kill_and_remove", lambda path, seconds: removed.append((path, seconds)))
    memory = os.memfd_create("test")
    monkeypatch.setattr(kept, "_cgroups", memory)
    try:
        keeper.remove_cgroups()
        assert removed == []
        kept.leave_to_keeper([Path("/a/long/name/of/one"), Path("/b/\udcff")])
        kept.leave_to_keeper([Path("/a"), Path("/b/\udcff")])
        keeper.remove_cgroups()
        assert removed == [(Path("/a"), 1.0), (Path("/b/\udcff"), 1.0)]
    finally:
        os.close(memory)


def test_without_a_keeper_there_is_nobody_to_leave_anything_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_cgroups", None)
    kept.leave_to_keeper([Path("/a")])
    keeper.remove_cgroups()
    assert kept.keeper_pid() is None


def test_the_end_of_everything_below_takes_five_seconds_at_most() -> None:
    assert keeper.BOUND_SECONDS == 5.0


def test_where_proc_is_gone_or_can_not_be_read_for_a_moment_the_end_is_an_orderly_one(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any]
) -> None:
    looks: list[set[int] | OSError] = [OSError(errno.EMFILE, "x"), {11}, FileNotFoundError()]

    def children_of(_: object) -> set[int]:
        found = looks.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    monkeypatch.setattr(keeper, "children_of", children_of)
    assert keeper.kill_all_children(60.0) == 1
    assert calls == ["sleep", (STOP, 11), (KILL, 11), "reap", "sleep"]
    assert not looks


def test_a_stuck_child_that_the_kernel_has_let_go_has_no_children_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def children_of(pid: int | str) -> set[int]:
        if pid == "self":
            return {12}
        raise FileNotFoundError

    monkeypatch.setattr(keeper, "children_of", children_of)
    assert keeper._children(11) == {12}


LOOKS_THAT_PROVE_NOTHING: list[list[int | None]] = [
    [None, None, None],
    [0, None, 0],  # it was seen dead, then alive or not at all: only an unbroken row counts
]


@pytest.mark.parametrize("codes", LOOKS_THAT_PROVE_NOTHING)
def test_a_supervisor_that_was_not_seen_dead_for_two_seconds_without_a_break_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch, codes: list[int | None]
) -> None:
    left = iter(codes)
    monkeypatch.setattr(keeper, "exit_status_of", lambda _: next(left))
    waiting = keeper._Waiting(7, None)
    assert [waiting._look(now) for now in (100.0, 101.5, 103.0)] == [None, None, None]


def test_a_supervisor_that_was_seen_dead_for_two_seconds_is_given_up_with_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper, "exit_status_of", lambda _: 3)
    waiting = keeper._Waiting(7, None)
    assert [waiting._look(now) for now in (100.0, 101.9, 102.0)] == [None, None, 3]


def test_a_supervisor_that_was_killed_and_can_not_be_looked_at_is_given_up_after_two_seconds(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any]
) -> None:
    monkeypatch.setattr(keeper, "exit_status_of", lambda _: None)
    waiting = keeper._Waiting(7, None)
    waiting._kill_at = 100.0
    assert [waiting._look(now) for now in (99.0, 100.0, 101.9, 102.0)] == [None, None, None, -signal.SIGKILL]
    assert calls == [(KILL, 7)] * 3


def test_a_process_that_is_not_there_or_hidden_was_not_seen_dead() -> None:
    gone = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(gone, 0)
    assert exit_status_of(gone) is None


def test_a_dead_process_whose_name_is_no_text_is_seen_dead() -> None:
    name = "ctypes.CDLL(None).prctl(15, b'\\xff\\xfe)', 0, 0, 0)"  # PR_SET_NAME of <linux/prctl.h>
    program = f"import ctypes, os; {name}; os._exit(7)"
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", program], os.environ)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        assert exit_status_of(pid) == 7
    finally:
        os.waitpid(pid, 0)
