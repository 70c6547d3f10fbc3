"""One child's cgroup with real processes: joined, limited, killed and removed, in each tree that is there."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hosting import alive_with

from supervisor.process.cgroups.cgroup import WITHOUT, Cgroup, Role, Tree
from tests.patience import PATIENCE_SECONDS, wait_until

# Waits to be told; then leaves a daemon in a session of its own, forked twice, which says its number.
CHILD = """
import os, subprocess, sys, time
sys.stdin.readline()
daemon = '''
import os, sys, time
os.fork() and os._exit(0)
os.setsid()
os.fork() and os._exit(0)
print(os.getpid(), flush=True)
time.sleep(600)
'''
subprocess.run([sys.executable, "-I", "-S", "-c", daemon, sys.argv[1]])
time.sleep(600)
"""
JOINS_BY_ITSELF = """
import sys, time
from jobrunner.child import _join
_join(sys.stdin.readline().split())
print("tried", flush=True)
time.sleep(600)
"""


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as executor:
        yield executor


@pytest.fixture
def complaints() -> list[str]:
    return []


@contextmanager
def waiting(marker: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that leaves a daemon when it gets a line."""
    command = [sys.executable, "-I", "-S", "-c", CHILD, marker]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def leave_daemon(process: "subprocess.Popen[str]") -> int:
    """Have it leave its daemon, and return the daemon's number."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def each_tree(trees: tuple[Tree, ...]) -> list[tuple[Tree, ...]]:
    """All of them together, and each for itself, so that none relies on another."""
    return [trees, *((tree,) for tree in trees if len(trees) > 1)]


def directories(trees: tuple[Tree, ...]) -> list[Path]:
    return [child for tree in trees for child in tree.directory.iterdir() if child.is_dir()]


async def test_a_daemon_in_a_session_of_its_own_is_killed_and_nothing_is_left(
    trees: tuple[Tree, ...], executor: ThreadPoolExecutor, complaints: list[str]
) -> None:
    for number, some in enumerate(each_tree(trees)):
        marker = f"cgroup-daemon-{os.getpid()}-{number}"
        with waiting(marker) as process:
            cgroup = Cgroup(some, f"test-{number}", executor, complaints.append)
            await cgroup.join(process.pid)
            both = {process.pid, leave_daemon(process)}
            # The middle process of the double fork may not have ended yet.
            wait_until(lambda: cgroup.processes() == both)  # noqa: B023  # used at once
            assert cgroup.kill() == both
            wait_until(lambda: not alive_with(marker))  # noqa: B023
            wait_until(lambda: not cgroup.processes())  # noqa: B023
            process.wait(PATIENCE_SECONDS)
            cgroup.remove()
            wait_until(lambda: not directories(trees))
            assert not cgroup.kill()
    assert complaints == []


async def test_a_child_that_is_asked_to_joins_in_every_tree_by_itself(
    trees: tuple[Tree, ...],
    executor: ThreadPoolExecutor,
    complaints: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Cgroup, "_join", lambda *_: pytest.fail("it was left to the worker"))
    command = [sys.executable, "-c", JOINS_BY_ITSELF]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:

        async def ask(wanted: list[str]) -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(" ".join(wanted) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "tried\n"

        try:
            cgroup = Cgroup(trees, "test", executor, complaints.append)
            await cgroup.join(process.pid, ask)
            assert [cgroup._joined, cgroup.processes()] == [trees, {process.pid}]
        finally:
            process.kill()
        process.wait(PATIENCE_SECONDS)
        cgroup.remove()
        wait_until(lambda: not directories(trees))
    assert complaints == []


async def test_what_a_job_has_made_below_its_cgroup_is_killed_and_removed_too(
    trees: tuple[Tree, ...], executor: ThreadPoolExecutor, complaints: list[str]
) -> None:
    for number, some in enumerate(each_tree(trees)):
        with waiting(f"cgroup-nested-{os.getpid()}") as process:
            cgroup = Cgroup(some, f"test-{number}", executor, complaints.append)
            await cgroup.join(process.pid)
            for directory in directories(some):
                (directory / "inner" / "most").mkdir(parents=True)
                (directory / "inner" / "most" / "cgroup.procs").write_text(str(process.pid))
            assert cgroup.processes() == {process.pid}
            assert cgroup.kill() == {process.pid}
            process.wait(PATIENCE_SECONDS)
            cgroup.remove()
            wait_until(lambda: not directories(trees))


async def test_a_child_that_is_dead_already_is_no_complaint(
    trees: tuple[Tree, ...], executor: ThreadPoolExecutor, complaints: list[str]
) -> None:
    with waiting("cgroup-dead") as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        cgroup = Cgroup(trees, "test", executor, complaints.append)
        await cgroup.join(process.pid)
        assert cgroup.processes() == set()
        cgroup.remove()
        wait_until(lambda: not directories(trees))
    assert complaints == []


async def test_a_tree_that_is_gone_is_a_complaint_and_nothing_else(
    executor: ThreadPoolExecutor, complaints: list[str], tmp_path: Path
) -> None:
    gone = Tree(tmp_path / "gone", 2, frozenset({"kill", "memory", "pids"}))
    cgroup = Cgroup((gone,), "test", executor, complaints.append)
    await cgroup.join(os.getpid())
    cgroup.set_limits(100, 10)
    assert (cgroup.processes(), cgroup.kill()) == (set(), set())
    assert cgroup.out_of_memory() is None
    cgroup.remove()
    assert [os.strerror(errno.ENOENT) in text for text in complaints] == [True]


async def test_the_limit_of_tasks_holds(
    need: Callable[[Role], None],
    trees: tuple[Tree, ...],
    executor: ThreadPoolExecutor,
    complaints: list[str],
) -> None:
    need("pids")
    with waiting(f"cgroup-tasks-{os.getpid()}") as process:
        cgroup = Cgroup(trees, "test", executor, complaints.append)
        await cgroup.join(process.pid)
        cgroup.set_limits(None, 1)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait(PATIENCE_SECONDS) == 1  # with a BlockingIOError, as it can't fork
        cgroup.remove()
        wait_until(lambda: not directories(trees))
    assert complaints == []


async def test_without_a_cgroup_every_method_does_nothing() -> None:
    await WITHOUT.join(os.getpid())
    WITHOUT.set_limits(1, 1)
    WITHOUT.remove()
    assert (WITHOUT.processes(), WITHOUT.kill()) == (set(), set())
    assert WITHOUT.out_of_memory() is None
