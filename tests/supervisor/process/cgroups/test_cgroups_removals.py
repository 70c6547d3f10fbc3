"""Cgroups of children that are over go behind the next one that is made, and soon without it."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from jobrunner.protocol import kernel_files
from supervisor.process.cgroups import files
from supervisor.process.cgroups import removals as removals_module
from supervisor.process.cgroups.cgroup import Cgroup, Tree
from supervisor.process.cgroups.removals import CgroupRemovals
from tests.patience import until

PID = 4711


class Children:
    """Makes cgroups in a directory of the test's, where the kernel takes whatever is written."""

    def __init__(self, directory: Path) -> None:
        self.executor = ThreadPoolExecutor(1)
        self.removals = CgroupRemovals(self.executor)
        self._tree = Tree(directory, 2, frozenset({"kill"}))

    def new(self, name: str) -> Cgroup:
        return Cgroup((self._tree,), name, self.executor, pytest.fail, self.removals)


@pytest_asyncio.fixture
async def children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Children]:
    monkeypatch.setattr(kernel_files, "write", lambda path, text: None)
    children = Children(tmp_path)
    yield children
    await asyncio.to_thread(children.executor.shutdown)


async def test_a_cgroup_that_is_over_goes_behind_the_next_one_that_is_made(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals_module, "REMOVE_SECONDS", 600.0)
    first, second = children.new("first"), children.new("second")
    await first.join(PID)
    first.remove()
    await second.join(PID)
    await until(lambda: not (tmp_path / "first").exists(), "the first one is gone")
    assert (tmp_path / "second").exists()


async def test_a_cgroup_that_is_over_goes_soon_where_none_is_made(children: Children, tmp_path: Path) -> None:
    alone = children.new("alone")
    await alone.join(PID)
    alone.remove()
    await until(lambda: not (tmp_path / "alone").exists(), "it is gone")


async def test_after_the_worker_s_end_a_removal_raises_nothing(children: Children, tmp_path: Path) -> None:
    last = children.new("last")
    await last.join(PID)
    children.executor.shutdown()
    last.remove()
    children.removals.begin()
    assert (tmp_path / "last").exists()


def test_cgroups_that_a_job_has_nested_deeper_than_python_recurses_are_looked_into_and_removed(
    tmp_path: Path,
) -> None:
    child = tmp_path / "child"
    place = child
    for _ in range(1200):
        place.mkdir()
        place /= "a"
    place.with_name(files.PROCESSES).write_text(f"{PID}\n")
    assert files.processes(child) == {PID}
    place.with_name(files.PROCESSES).unlink()
    assert files.remove(child)
    assert not child.exists()
