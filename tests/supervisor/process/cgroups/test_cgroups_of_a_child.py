"""The cgroup of one child, on a machine of the test's: what is written where, and what a refusal costs."""

import errno
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobrunner.protocol import kernel_files
from supervisor.process.cgroups import cgroup as cgroup_module
from supervisor.process.cgroups.cgroup import WITHOUT, Cgroup, Tree, child_name
from supervisor.verdict import OutOfMemory

PID = 4711


class Kernel:
    """Takes what is written to the files of cgroups, or refuses it."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str]] = []
        self.refused: dict[str, int] = {}
        """The errors, by the ends of paths."""

    def write(self, path: Path, text: str) -> None:
        for end, number in self.refused.items():
            if str(path).endswith(end):
                raise OSError(number, os.strerror(number))
        self.written.append((str(path), text))


class AtOnce(Executor):
    """Does in the caller's thread what it is given."""

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(function(*given, **named))
        return future


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(kernel_files, "write", kernel.write)
    return kernel


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def cgroup(tmp_path: Path, complaints: list[str]) -> Cgroup:
    """In two trees: one can kill and limit memory, the other counts tasks."""
    first = Tree(tmp_path / "two", 2, frozenset({"kill", "memory"}))
    second = Tree(tmp_path / "one", 1, frozenset({"pids"}))
    for tree in (first, second):
        tree.directory.mkdir()
    return Cgroup((first, second), "child", AtOnce(), complaints.append)


async def test_a_child_joins_in_every_tree(
    cgroup: Cgroup, kernel: Kernel, tmp_path: Path, complaints: list[str]
) -> None:
    await cgroup.join(PID)
    assert kernel.written == [(f"{tmp_path}/{tree}/child/cgroup.procs", str(PID)) for tree in ("two", "one")]
    assert (tmp_path / "one/child").stat().st_mode & 0o777 & ~0o755 == 0
    assert complaints == []


@pytest.mark.parametrize(("number", "complains"), [(errno.ESRCH, False), (errno.EACCES, True)])
async def test_a_tree_that_takes_no_child_is_done_without_and_said_unless_the_child_is_dead(
    cgroup: Cgroup, kernel: Kernel, complaints: list[str], tmp_path: Path, number: int, complains: bool
) -> None:
    kernel.refused["two/child/cgroup.procs"] = number
    await cgroup.join(PID)
    cgroup.set_limits(100.0, 7)
    assert kernel.written[1:] == [(f"{tmp_path}/one/child/pids.max", "7")]
    assert not cgroup.limits_memory
    assert [text.endswith("two/child: Permission denied.") for text in complaints] == [True] * complains


async def nobody_joins(directories: list[str]) -> None:
    """Say that it has joined, without having done so."""


async def joins(directories: list[str]) -> None:
    """Join as a child does; the test's kernel lists who has."""
    for directory in directories:
        Path(directory).mkdir()
        Path(directory, "cgroup.procs").write_text(f"12\n{PID}\n")


async def makes_them(directories: list[str]) -> None:
    """Come no further than to make them."""
    for directory in directories:
        Path(directory).mkdir()


async def test_for_a_child_that_joins_by_itself_no_thread_is_woken(
    cgroup: Cgroup, kernel: Kernel, tmp_path: Path, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AtOnce, "submit", lambda *_: pytest.fail("it is in all of them"))
    await cgroup.join(PID, joins)
    cgroup.set_limits(100.0, 7)
    assert cgroup.limits_memory
    assert [path for path, _ in kernel.written][-1] == f"{tmp_path}/one/child/pids.max"
    assert complaints == []


@pytest.mark.parametrize("ask", [nobody_joins, makes_them])
async def test_a_child_that_is_not_where_it_says_is_moved(
    cgroup: Cgroup,
    kernel: Kernel,
    tmp_path: Path,
    complaints: list[str],
    ask: Callable[[list[str]], Awaitable[None]],
) -> None:
    await cgroup.join(PID, ask)
    assert kernel.written == [(f"{tmp_path}/{tree}/child/cgroup.procs", str(PID)) for tree in ("two", "one")]
    assert complaints == []


async def test_why_a_child_could_not_join_is_what_the_worker_meets_when_it_tries(
    cgroup: Cgroup, kernel: Kernel, complaints: list[str]
) -> None:
    kernel.refused["two/child/cgroup.procs"] = errno.ENOSPC
    await cgroup.join(PID, makes_them)
    cgroup.set_limits(100.0, None)
    assert not cgroup.limits_memory
    assert [text.endswith("two/child: No space left on device.") for text in complaints] == [True]


async def test_a_cgroup_in_which_somebody_is_left_is_no_child_s(
    cgroup: Cgroup, kernel: Kernel, tmp_path: Path, complaints: list[str]
) -> None:
    """An earlier run could not kill it, and this worker has its number."""
    (tmp_path / "two/child").mkdir()
    (tmp_path / "two/child/cgroup.procs").write_text("12\n")
    await cgroup.join(PID, nobody_joins)
    cgroup.set_limits(100.0, None)
    assert not cgroup.limits_memory
    assert ["two/child: Directory not empty" in text for text in complaints] == [True]


async def test_where_it_can_not_be_seen_whether_a_child_has_joined_that_is_said_and_not_relied_on(
    cgroup: Cgroup, kernel: Kernel, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(path: str) -> bytes:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(kernel_files, "read", unreadable)
    await cgroup.join(PID, joins)
    cgroup.set_limits(100.0, 7)
    assert not cgroup.limits_memory
    assert kernel.written == []
    assert [text.endswith("child: Too many open files.") for text in complaints] == [True, True]


async def test_a_child_that_waits_for_no_executor_joins_nothing(tmp_path: Path, kernel: Kernel) -> None:
    tree = Tree(tmp_path, 2, frozenset({"kill"}))
    alone = Cgroup((tree,), "child", None, pytest.fail)
    await alone.join(PID)
    alone.remove()
    assert kernel.written == []
    assert WITHOUT.processes() == WITHOUT.kill() == set()


@pytest.mark.parametrize(
    ("memory_mb", "tasks"), [(None, None), (100.0, None), (None, 7), (100.5, 7)], ids=str
)
async def test_limits_are_set_where_they_can_be_and_only_those_that_are_given(
    cgroup: Cgroup, kernel: Kernel, tmp_path: Path, memory_mb: float | None, tasks: int | None
) -> None:
    await cgroup.join(PID)
    kernel.written.clear()
    cgroup.set_limits(memory_mb, tasks)
    written = dict(kernel.written)
    assert written.get(f"{tmp_path}/two/child/memory.max") == (
        None if memory_mb is None else str(int(memory_mb * 1024 * 1024))
    )
    assert written.get(f"{tmp_path}/one/child/pids.max") == (None if tasks is None else "7")
    assert cgroup.limits_memory is (memory_mb is not None)


async def test_a_limit_that_can_not_be_set_is_said_and_not_relied_on(
    cgroup: Cgroup, kernel: Kernel, complaints: list[str]
) -> None:
    await cgroup.join(PID)
    kernel.refused |= {"memory.max": errno.EACCES, "pids.max": errno.EINVAL}
    cgroup.set_limits(100.0, 7)
    assert not cgroup.limits_memory
    memory, tasks = complaints
    assert "memory limit of" in memory
    assert "two/child can't be set: Permission denied." in memory
    assert "limit of processes of" in tasks
    assert "one/child can't be set: Invalid argument." in tasks


async def test_the_proof_of_an_end_for_want_of_memory_names_the_limit_that_was_set(
    cgroup: Cgroup, kernel: Kernel, tmp_path: Path
) -> None:
    await cgroup.join(PID)
    assert cgroup.out_of_memory() is None
    (tmp_path / "two/child/memory.events").write_text("oom 1\noom_kill 2\n")
    cgroup.set_limits(100.0, None)
    assert cgroup.out_of_memory() == OutOfMemory(2, 100.0)
    assert WITHOUT.out_of_memory() is None


async def test_its_directories_go_in_every_tree_and_one_that_does_not_is_tried_five_times(
    cgroup: Cgroup, kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    pauses: list[float] = []

    def remove(directory: str) -> bool:
        tries.append(directory)
        return directory.endswith("/one/child")

    monkeypatch.setattr(cgroup_module.files, "remove", remove)
    monkeypatch.setattr(cgroup_module, "time", SimpleNamespace(sleep=pauses.append))
    cgroup.remove()
    assert tries == [f"{tmp_path}/two/child"] * 5 + [f"{tmp_path}/one/child"]
    assert pauses == [0.001] * 5


def test_after_the_worker_s_end_nothing_is_removed_and_nothing_is_raised(tmp_path: Path) -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    (tmp_path / "child").mkdir()
    Cgroup((Tree(tmp_path, 2, frozenset({"kill"})),), "child", executor, pytest.fail).remove()
    assert (tmp_path / "child").exists()


def test_no_two_children_of_a_machine_have_the_same_name() -> None:
    assert child_name(1) != child_name(2)
    assert child_name(7) == f"{os.getpid()}-7"
