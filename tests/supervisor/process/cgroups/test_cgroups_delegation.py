"""Version 2 with controllers handed down: the worker's own processes move to a leaf, nobody else's.

Where the memory and pids controllers belong to version 1, the real kernel is asked with whichever others there are: the
rule that a cgroup which hands down controllers holds no process is the same. The files of memory and pids are
files of a test's directory then.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.process.cgroups import memory
from supervisor.process.cgroups.delegation import LEAF, HandedDown, hand_down, undo
from supervisor.process.cgroups.detection import own_cgroups
from supervisor.process.cgroups.files import kill_and_remove
from supervisor.verdict import OutOfMemory


@pytest.fixture
def unified() -> Iterator[tuple[Path, str]]:
    """A cgroup of version 2 as systemd would delegate it, and the name of a controller that it may hand down."""
    tops = [Path(own.path) for own in own_cgroups() if own.version == 2]
    names = (tops[0] / "cgroup.controllers").read_text().split() if tops else []
    if not names or not os.access(tops[0], os.W_OK):
        pytest.skip("no cgroup of version 2 with a controller can be made here")
    already = (tops[0] / "cgroup.subtree_control").read_text().split()
    directory = tops[0] / f"neops-test-delegated-{os.getpid()}"
    directory.mkdir()
    try:
        if names[0] not in already:
            (tops[0] / "cgroup.subtree_control").write_text(f"+{names[0]}")
        yield directory, names[0]
    finally:
        assert kill_and_remove(directory, 5)[1]
        if names[0] not in already:
            (tops[0] / "cgroup.subtree_control").write_text(f"-{names[0]}")


@pytest.fixture
def pair(unified: tuple[Path, str]) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Two processes in that cgroup, as keeper and supervisor are."""
    command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]
    processes = [subprocess.Popen(command) for _ in range(2)]
    try:
        for process in processes:
            (unified[0] / "cgroup.procs").write_text(str(process.pid))
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def pids(directory: Path) -> set[int]:
    return set(map(int, (directory / "cgroup.procs").read_text().split()))


def test_own_processes_move_to_a_leaf_and_back(
    unified: tuple[Path, str], pair: list["subprocess.Popen[bytes]"]
) -> None:
    own, controller = unified
    ours = {process.pid for process in pair}
    done = hand_down(own, {controller, "not-there"}, ours)
    assert done == HandedDown(frozenset({controller}), "", frozenset({controller}), moved=True)
    assert (pids(own), pids(own / LEAF)) == (set(), ours)
    assert (own / "cgroup.subtree_control").read_text().split() == [controller]
    assert hand_down(own, {controller}, ours) == HandedDown(frozenset({controller}))
    undo(own, done)
    assert pids(own) == ours
    assert not (own / LEAF).exists()
    assert (own / "cgroup.subtree_control").read_text().split() == []


def test_other_peoples_processes_are_never_moved(
    unified: tuple[Path, str], pair: list["subprocess.Popen[bytes]"]
) -> None:
    own, controller = unified
    mine, stranger = (process.pid for process in pair)
    done = hand_down(own, {controller}, {mine})
    assert done.controllers == frozenset()
    assert str(stranger) in done.missing
    assert pids(own) == {mine, stranger}
    assert not (own / LEAF).exists()


def test_what_the_kernel_refuses_leaves_everything_as_it_was(
    unified: tuple[Path, str], pair: list["subprocess.Popen[bytes]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, controller = unified
    ours = {process.pid for process in pair}
    # The kernel refuses while a process is left in the cgroup: the move is taken away.
    monkeypatch.setattr("supervisor.process.cgroups.delegation.PROCESSES", "cgroup.max.depth")
    monkeypatch.setattr("supervisor.process.cgroups.delegation._directly_in", lambda _: ours)
    done = hand_down(own, {controller}, ours)
    assert done.controllers == frozenset()
    assert str(own) in done.missing
    assert pids(own) == ours
    assert not (own / LEAF).exists()


def test_a_directory_that_is_no_cgroup_hands_nothing_down(tmp_path: Path) -> None:
    done = hand_down(tmp_path, {"memory"}, {os.getpid()})
    assert done.controllers == frozenset()
    assert "No such file" in done.missing


@pytest.fixture
def memory_files(tmp_path: Path) -> Path:
    """The files of version 2."""
    for name in ("memory.max", "memory.swap.max", "memory.oom.group"):
        (tmp_path / name).write_text("")
    return tmp_path


def test_the_limit_of_version_2_has_no_way_into_swap_and_ends_all_or_nothing(memory_files: Path) -> None:
    memory.limit(memory_files, 2, 1.5)
    assert (memory_files / "memory.max").read_text() == str(3 * 2**19)
    assert (memory_files / "memory.swap.max").read_text() == "0"
    assert (memory_files / "memory.oom.group").read_text() == "1"


def test_a_kernel_without_swap_accounting_or_oom_groups_still_limits(tmp_path: Path) -> None:
    (tmp_path / "memory.max").touch()
    memory.limit(tmp_path, 2, 1)
    assert (tmp_path / "memory.max").read_text() == str(2**20)
    with pytest.raises(FileNotFoundError):
        memory.limit(tmp_path, 1, 1)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\noom_group_kill 1\n", OutOfMemory(3, 100.0)),
        ("low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n", OutOfMemory(1, None)),
        ("low 0\nhigh 0\nmax 90\noom 2\noom_kill 0\n", None),
        ("", None),
    ],
    ids=["at its own limit", "of the machine or the unit", "nothing was ended", "nothing is known"],
)
def test_version_2_tells_whose_memory_ran_out(
    tmp_path: Path, events: str, expected: OutOfMemory | None
) -> None:
    (tmp_path / "memory.events").write_text(events)
    assert memory.out_of_memory(tmp_path, 2, 100.0) == expected


@pytest.mark.parametrize(
    ("highest", "limit_mb", "expected"),
    [
        (100 * 2**20 - 4096, 100.0, OutOfMemory(1, 100.0)),
        (99 * 2**20, 100.0, OutOfMemory(1, 100.0)),
        (98 * 2**20, 100.0, OutOfMemory(1, None)),
        (40 * 2**20, 100.0, OutOfMemory(1, None)),
        (40 * 2**20, None, OutOfMemory(1, None)),
    ],
)
def test_version_1_tells_it_by_the_highest_usage(
    tmp_path: Path, highest: int, limit_mb: float | None, expected: OutOfMemory
) -> None:
    (tmp_path / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    (tmp_path / "memory.max_usage_in_bytes").write_text(f"{highest}\n")
    assert memory.out_of_memory(tmp_path, 1, limit_mb) == expected
