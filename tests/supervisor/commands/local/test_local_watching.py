"""Noticing a save."""

import asyncio
import os
from pathlib import Path

import pytest

from supervisor.commands.local.file_watcher import (
    Watched,
    Watcher,
    changed_files,
    snapshot,
    what_changed,
)
from tests.patience import PATIENCE_SECONDS


def test_only_python_files_that_may_be_code_of_blocks_are_looked_at(tmp_path: Path) -> None:
    for name in (
        "a.py",
        "sub/b.py",
        "sub/note.txt",
        ".git/c.py",
        "__pycache__/d.py",
        "venv/site-packages/e.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "sub" / "circle").symlink_to(tmp_path)
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    found = {os.path.relpath(path, tmp_path) for path in snapshot([tmp_path])}
    assert found == {"a.py", "sub/b.py"}


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        ({"a": (1, 2, 3)}, []),
        ({"a": (9, 2, 3)}, ["a"]),
        ({"a": (1, 2, 9)}, ["a"]),
        ({}, ["a"]),
        ({"a": (1, 2, 3), "b": (0, 0, 0)}, ["b"]),
    ],
)
def test_what_came_went_or_changed_is_named(
    after: dict[str, tuple[int, int, int]], changed: list[str]
) -> None:
    assert changed_files({"a": (1, 2, 3)}, after) == changed


def test_the_top_of_a_package_is_watched_and_so_is_a_file_s_directory(tmp_path: Path) -> None:
    inner = tmp_path / "top" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "top" / "__init__.py").write_text("")
    (inner / "__init__.py").write_text("")
    (inner / "block.py").write_text("")
    (tmp_path / "alone.py").write_text("")
    sources = [str(inner), str(inner / "block.py"), str(tmp_path / "alone.py")]
    assert Watched.of(sources) == Watched((tmp_path.resolve(),))
    assert Watched.of([str(tmp_path / "top")]) == Watched((tmp_path.resolve(),))


def test_beside_a_single_file_only_the_modules_and_the_folders_that_they_import_are_watched(
    tmp_path: Path,
) -> None:
    for name in ("block.py", "beside.py", "parts/show.py", "own/deep/er.py", "project/other.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "block.py").write_text("import beside\nfrom parts import show\n")
    watched = Watched.of([str(tmp_path / "block.py")])

    def seen() -> set[str]:
        return {os.path.relpath(path, tmp_path.resolve()) for path in watched.look()}

    assert seen() == {"block.py", "beside.py", "parts/show.py"}
    (tmp_path / "beside.py").write_text("from .own.deep import er\n")
    assert seen() == {"block.py", "beside.py", "parts/show.py", "own/deep/er.py"}


def test_a_file_that_is_gone_is_not_called_saved(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("")
    one, two = str(tmp_path / "one.py"), str(tmp_path / "two.py")
    assert what_changed([one, two]) == "Saved: one.py. Deleted: two.py"
    assert what_changed([two]) == "Deleted: two.py"
    assert what_changed([one] * 4) == "Saved: one.py, one.py, one.py, …"


async def test_many_files_saved_at_once_are_one_change(tmp_path: Path) -> None:
    watcher = Watcher(Watched((tmp_path,)))
    waiting = asyncio.create_task(watcher.next_change())
    for number in range(3):
        (tmp_path / f"m{number}.py").write_text("x")
        await asyncio.sleep(0.01)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [Path(path).name for path in await waiting] == ["m0.py", "m1.py", "m2.py"]


async def test_a_change_between_two_waits_is_not_missed(tmp_path: Path) -> None:
    watcher = Watcher(Watched((tmp_path,)))
    (tmp_path / "a.py").write_text("x")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert len(await watcher.next_change()) == 1
        (tmp_path / "a.py").write_text("xy")
        assert len(await watcher.next_change()) == 1
