"""Looking at trees of processes and signalling them; the tell-tale; what a job user leaves in shared directories."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.launcher.user_leftovers import remove_leftovers
from supervisor.process.proc import is_alive, kill_tree, read_stat, signal_child_of, stop_tree, tree_below
from supervisor.watch.task_count_probe import TaskCountProbe
from tests.patience import PATIENCE_SECONDS

TREE = """
import os, sys, threading, time
for _ in range(2):
    if os.fork() == 0:
        break
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
if os.fork() == 0:
    os.setsid()
os.write(1, b"x\\n")
time.sleep(60)
"""


@pytest.fixture
def tree() -> Iterator["subprocess.Popen[bytes]"]:
    """A process with two children; each of the three has a thread, and a child in a session of its own."""
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", TREE], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(6):
            assert process.stdout.readline() == b"x\n"
        everything = [os.pidfd_open(pid) for pid in tree_below((process.pid,)).parents]
        yield process
        for descriptor in everything:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            os.close(descriptor)


def test_a_walk_finds_every_descendant_and_counts_threads(tree: "subprocess.Popen[bytes]") -> None:
    found = tree_below((tree.pid,))
    assert (len(found.parents), found.tasks, found.complete) == (6, 9, True)
    assert found.parents[tree.pid] == os.getpid()


def test_a_walk_that_is_bounded_ends_above_its_bound(tree: "subprocess.Popen[bytes]") -> None:
    found = tree_below((tree.pid,), most_tasks=4)
    assert not found.complete
    assert 4 < found.tasks <= 6


def test_a_tree_is_stopped_as_a_whole_and_then_killed(tree: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    stopped = stop_tree((tree.pid,), end)
    while any(stat.state != "T" for pid in stopped.parents if (stat := read_stat(pid))):
        assert time.monotonic() < end
    assert kill_tree((tree.pid,), end) == set(stopped.parents)
    tree.wait(PATIENCE_SECONDS)


HEADLESS = """
import ctypes, os, platform, threading, time
if os.fork() == 0:
    threading.Thread(target=time.sleep, args=(600,)).start()
    os.write(1, b"x")
    ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)  # of this thread only
time.sleep(600)
"""


def test_a_process_whose_first_thread_has_ended_is_no_zombie_while_another_lives() -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", HEADLESS], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"x"
        end = time.monotonic() + 60
        headless = next(pid for pid in tree_below((process.pid,)).parents if pid != process.pid)
        while (stat := read_stat(headless)) is None or stat.state != "Z":
            assert time.monotonic() < end
        assert is_alive(headless)
        begun = time.monotonic()
        assert kill_tree((process.pid,), begun + 60) == {process.pid, headless}
        assert time.monotonic() - begun < 60  # it was seen stopped
        while is_alive(headless):
            assert time.monotonic() < end


def test_a_number_that_is_another_s_by_now_is_not_signalled(tree: "subprocess.Popen[bytes]") -> None:
    assert not signal_child_of(1, tree.pid, signal.SIGKILL)
    assert is_alive(tree.pid)
    tree.kill()
    tree.wait(PATIENCE_SECONDS)
    assert not signal_child_of(os.getpid(), tree.pid, signal.SIGKILL)


def test_the_telltale_tells_of_a_jump_once_and_does_not_forget_what_has_ended(tmp_path: Path) -> None:
    load = tmp_path / "loadavg"

    def tasks(number: int) -> None:
        load.write_text(f"0.20 0.18 0.12 1/{number} 11206\n")

    tasks(100)
    telltale = TaskCountProbe(str(load))
    tasks(160)
    assert not telltale.has_jumped(512)
    tasks(300)
    assert telltale.has_jumped(512)
    assert not telltale.has_jumped(512)
    tasks(50)  # much has ended; what comes next counts from here
    assert not telltale.has_jumped(512)
    tasks(190)
    assert telltale.has_jumped(512)


def test_an_unreadable_telltale_tells_nothing(tmp_path: Path) -> None:
    assert not TaskCountProbe(str(tmp_path / "none")).has_jumped(512)


@pytest.mark.needs("other users")
def test_only_what_belongs_to_the_user_goes_and_no_link_is_followed(tmp_path: Path) -> None:
    user, other = 3_000_000_100, 3_000_000_101
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    shared = tmp_path / "shared"
    shared.mkdir()
    for owner in (user, other):
        (shared / f"file-{owner}").write_text("x")
        (shared / f"tree-{owner}" / "deep").mkdir(parents=True)
        (shared / f"link-{owner}").symlink_to(precious)
        for name in ("file", "tree", "link"):
            os.chown(shared / f"{name}-{owner}", owner, owner, follow_symlinks=False)
    (shared / f"tree-{user}" / "out").symlink_to(precious)
    assert remove_leftovers({user}, [str(shared), str(tmp_path / "none")]) == []
    assert sorted(path.name for path in shared.iterdir()) == [
        f"{name}-{other}" for name in ("file", "link", "tree")
    ]
    assert (precious / "file").read_text() == "kept"
