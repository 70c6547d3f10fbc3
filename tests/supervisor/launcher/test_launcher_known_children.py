"""The list of this process's children: nothing living is missing in it, whoever else is waited for meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.launcher import known_children
from supervisor.launcher.known_children import direct_children
from supervisor.process import reaping

ROOT = Path(__file__).parents[3]
LOOKS_WHILE_OTHERS_ARE_WAITED_FOR = """
import os, sys

def a_child(ends):
    pid = os.fork()
    if pid == 0:
        ends or os.read(never, 1)
        os._exit(0)
    if ends:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid

never, _ = os.pipe()
dead = [a_child(ends=True)]
while sum(len(f"{pid} ") for pid in dead) < 4096 + 50:  # more than one part of the kernel's list
    dead += [a_child(ends=True) for _ in range(20)]
living = a_child(ends=False)

# Not before: a small process forks faster.
import threading
from jobrunner.protocol import kernel_files
from supervisor.launcher.known_children import direct_children
from supervisor.process.reaping import wait_for

read, waiting = os.read, iter(dead)

def read_and_wait(descriptor, count):
    part = read(descriptor, count)
    another = threading.Thread(target=lambda: [wait_for(pid) for pid, _ in zip(waiting, range(100))])
    another.start()
    another.join()
    return part

kernel_files.os.read = read_and_wait
print(living in direct_children())
os.kill(living, 9)
"""


def test_a_living_child_is_seen_although_the_kernel_s_list_passes_over_it_while_others_are_waited_for() -> (
    None
):
    """Where a sweep sees nothing, the result is sent, and nothing of the job may be alive (I4)."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOKS_WHILE_OTHERS_ARE_WAITED_FOR],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def looks(monkeypatch: pytest.MonkeyPatch, *seen: list[int], waits: int) -> set[int]:
    """Have each look see what is given, and a child waited for during the first `waits` of them."""
    left = list(seen)

    def children(*_: object) -> list[int]:
        if len(seen) - len(left) < waits:
            with pytest.raises(ChildProcessError):
                reaping.wait_for(1)  # nobody's child here, and a wait all the same
        return left.pop(0)

    monkeypatch.setattr(known_children, "children_of_thread", children)
    return direct_children()


def test_one_look_is_enough_while_nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks(monkeypatch, [1, 2], waits=0) == {1, 2}


def test_there_are_three_looks_at_most_and_what_any_has_seen_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop can't look for as long as a bomb ends."""
    assert looks(monkeypatch, [1], [2], waits=1) == {1, 2}
    assert looks(monkeypatch, [1], [2], [3], waits=9) == {1, 2, 3}


def test_a_look_during_a_wait_that_has_not_ended_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_children, "children_of_thread", lambda *_: next(seen))
    seen = iter(([1], [2], [3], [4]))
    with reaping._waits.counted():
        assert direct_children() == {1, 2, 3}
    assert direct_children() == {4}
