"""Processes as the kernel shows them: read from /proc, whatever their names are, and while they come and go."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from jobrunner.protocol import kernel_files
from supervisor.process import proc
from supervisor.process.proc import (
    Stat,
    Tree,
    children_of_thread,
    is_alive,
    kill_tree,
    members_of,
    processes_of,
    read_stat,
    signal_child_of,
    status_of,
    stop_tree,
    tree_below,
    user_of,
)
from tests.patience import PATIENCE_SECONDS, wait_until

NOBODY_S = 2**22 + 1
"""Above what the kernel gives out."""

ODD_NAME = """
import ctypes, os, time
ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # not to outlive the tests
ctypes.CDLL(None).prctl(15, b") Z 1 (2\\xff", 0, 0, 0)
os.setsid()
os.write(1, b"x")
time.sleep(600)
"""


@pytest.fixture
def odd() -> Iterator["subprocess.Popen[bytes]"]:
    """A process whose name looks like the fields behind it, in a session of its own."""
    with subprocess.Popen([sys.executable, "-c", ODD_NAME], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"x"
        yield process
        process.kill()


def test_the_fields_behind_a_name_are_read_whatever_the_name_is(odd: "subprocess.Popen[bytes]") -> None:
    stat = wait_until(lambda: (found := read_stat(odd.pid)) and found.state == "S" and found)
    name = b") Z 1 (2\xff"
    assert replace(stat, started=0) == Stat("S", os.getpid(), odd.pid, odd.pid, threads=1, name=name)
    began = psutil.boot_time() + stat.started / os.sysconf("SC_CLK_TCK")
    assert began == pytest.approx(psutil.Process(odd.pid).create_time(), abs=2)
    assert read_stat(odd.pid, str(odd.pid)) == read_stat(odd.pid)
    assert "Z 1 (2" in status_of(odd.pid)["Name"]
    assert status_of(odd.pid)["PPid"] == str(os.getpid())
    assert user_of(odd.pid) == os.getuid()
    assert is_alive(odd.pid)


def test_what_is_alive_as_one_of_some_users_is_found_with_its_user(odd: "subprocess.Popen[bytes]") -> None:
    found = processes_of({os.getuid(), NOBODY_S})
    assert found[odd.pid] == found[os.getpid()] == os.getuid()
    odd.kill()
    os.waitid(os.P_PID, odd.pid, os.WEXITED | os.WNOWAIT)  # dead, and not waited for
    assert odd.pid not in processes_of({os.getuid()})
    assert processes_of({NOBODY_S}) == {}


@pytest.mark.needs("other users")
def test_what_is_alive_with_one_of_some_supplementary_groups_is_found_with_the_group() -> None:
    with subprocess.Popen(["sleep", "600"], extra_groups=[NOBODY_S, NOBODY_S + 2]) as process:
        try:
            assert members_of({NOBODY_S + 1, NOBODY_S + 2}) == {process.pid: NOBODY_S + 2}
            assert members_of({NOBODY_S + 1}) == {}
        finally:
            process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not waited for
        assert members_of({NOBODY_S + 2}) == {}


def test_of_a_process_that_is_gone_nothing_is_told() -> None:
    assert read_stat(NOBODY_S) is read_stat(os.getpid(), str(NOBODY_S)) is user_of(NOBODY_S) is None
    assert status_of(NOBODY_S) == {}
    assert not is_alive(NOBODY_S)
    assert children_of_thread(NOBODY_S, str(NOBODY_S)) == []
    assert tree_below((NOBODY_S,)) == Tree()
    assert not signal_child_of(os.getpid(), NOBODY_S, signal.SIGKILL)


@pytest.mark.parametrize(
    ("state", "threads", "lives"),
    [("R", 1, True), ("T", 1, True), ("D", 1, True), ("Z", 1, False), ("X", 1, False), ("Z", 2, True)],
)
def test_what_lives_is_what_runs_or_could(state: str, threads: int, lives: bool) -> None:
    assert Stat(state, 1, 1, 1, threads).lives is lives


def test_a_zombie_is_in_the_tree_and_is_not_signalled(odd: "subprocess.Popen[bytes]") -> None:
    odd.kill()
    os.waitid(os.P_PID, odd.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(odd.pid)
    assert odd.pid in children_of_thread(os.getpid(), str(os.getpid()))
    assert odd.pid in tree_below((os.getpid(),)).parents
    before = set(os.listdir("/proc/self/fd"))
    assert not signal_child_of(os.getpid(), odd.pid, signal.SIGKILL)
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("error", [ProcessLookupError, PermissionError])
def test_who_is_gone_or_another_s_when_it_is_signalled_was_not_signalled(
    odd: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(signal, "pidfd_send_signal", failing)
    before = set(os.listdir("/proc/self/fd"))
    assert not signal_child_of(os.getpid(), odd.pid, signal.SIGKILL)
    assert set(os.listdir("/proc/self/fd")) == before


def failing_with(number: int) -> Any:
    def failing(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number))

    return failing


@pytest.mark.parametrize(
    ("number", "missed"), [(errno.ENOENT, False), (errno.ESRCH, False), (errno.EMFILE, True)]
)
@pytest.mark.parametrize("what", ["threads", "children"])
def test_what_could_not_be_read_is_missed_and_what_is_gone_is_not(
    monkeypatch: pytest.MonkeyPatch, what: str, number: int, missed: bool
) -> None:
    if what == "threads":
        monkeypatch.setattr(proc.os, "listdir", failing_with(number))
    else:
        monkeypatch.setattr(proc, "children_of_thread", failing_with(number))
    tree = tree_below((os.getpid(),))
    assert (tree.missed is not None) is missed
    assert tree.missed is None or tree.missed.errno == number


def test_a_list_of_children_that_can_not_be_opened_is_an_error_and_no_empty_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel_files, "read", failing_with(errno.EMFILE))
    with pytest.raises(OSError, match="Too many open files"):
        children_of_thread(os.getpid(), str(os.getpid()))


def test_where_the_kernel_lists_no_children_all_processes_are_looked_through_once_for_each_process(
    odd: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux without CONFIG_PROC_CHILDREN. For the first thread only: children are the process's."""
    monkeypatch.setattr(kernel_files, "read", failing_with(errno.ENOENT))
    scans: list[int] = []
    scan = proc._children_by_scan
    monkeypatch.setattr(proc, "_children_by_scan", lambda pid: scans.append(pid) or [4711])
    here = os.getpid()
    assert children_of_thread(here, str(here)) == [4711]
    assert children_of_thread(here, str(here + 1)) == []
    assert children_of_thread(NOBODY_S, str(NOBODY_S)) == []
    assert scans == [here]
    monkeypatch.undo()
    assert odd.pid in scan(here)
    assert scan(NOBODY_S) == []


def test_a_walk_is_bounded_by_the_tasks_that_it_may_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here: 1 has the children 2 and 3 of its two threads, and 3 has 1 again, which is no reason to go on for ever."""
    threads = {1: ["1", "11"], 2: ["2"], 3: ["3"]}
    children = {"1": [2], "11": [3], "2": [], "3": [1]}
    monkeypatch.setattr(proc, "_threads", lambda pid, _tree: threads.get(pid))
    monkeypatch.setattr(proc, "_children", lambda _, thread, _tree: children[thread])
    assert tree_below((1,)) == Tree({1: os.getpid(), 3: 1, 2: 1}, 4, complete=True)
    assert tree_below((1,), most_tasks=4).complete
    bounded = tree_below((1,), most_tasks=3)
    assert (bounded.tasks, bounded.complete) == (4, False)
    assert tree_below((1,), most_tasks=1) == Tree({1: os.getpid()}, 2, complete=False)


def test_stopping_ends_at_its_time_although_something_new_is_found_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=0.0)
    walks: list[int] = []

    def walk(_: object) -> Tree:
        clock.now += 1
        walks.append(len(walks))
        assert len(walks) < 100
        return Tree({NOBODY_S + number: 1 for number in range(len(walks) + 1)})

    monkeypatch.setattr(proc, "tree_below", walk)
    monkeypatch.setattr(proc, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=pytest.fail))
    stop_tree((NOBODY_S,), 5.5)
    assert len(walks) == 6


def test_a_tree_is_killed_from_below(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a parent dies first, what is below it changes hands, and is not recognized."""
    monkeypatch.setattr(proc, "stop_tree", lambda *_: Tree({1: 0, 2: 1, 3: 2}))
    killed: list[tuple[int, int, int]] = []
    monkeypatch.setattr(proc, "signal_child_of", lambda *given: killed.append(given) or given[1] != 2)
    assert kill_tree((1,), 0.0) == {1, 3}
    assert killed == [(2, 3, signal.SIGKILL), (1, 2, signal.SIGKILL), (0, 1, signal.SIGKILL)]


def test_what_is_stopped_already_is_followed_and_not_signalled_again(odd: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    stop_tree((odd.pid,), end)
    wait_until(lambda: (stat := read_stat(odd.pid)) and stat.state == "T")
    sent: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proc, "signal_child_of", lambda _, pid, __: sent.append(pid))
        assert stop_tree((odd.pid,), end).parents == {odd.pid: os.getpid()}
    assert sent == []
