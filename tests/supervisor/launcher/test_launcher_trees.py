"""Removing what jobs leave in their directories."""

import os
from pathlib import Path

import pytest

from supervisor.process.trees import remove_tree

NOBODY = 65534


def test_a_tree_that_is_deeper_than_python_recurses_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "job"
    top.mkdir()
    (top / "beside").write_text("x")
    here = os.open(top, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d" * 40, dir_fd=here)
        below = os.open("d" * 40, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove_tree(top)
    assert not top.exists()


def test_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_tree(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_removed_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    top = tmp_path / "job"
    top.mkdir()
    (top / "link").symlink_to(precious)
    remove_tree(top)
    assert not top.exists()
    assert (precious / "file").read_text() == "x"


def test_a_link_or_a_file_in_the_place_of_the_directory_is_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / "link").symlink_to(precious)
    (tmp_path / "file").write_text("x")
    remove_tree(tmp_path / "link")
    remove_tree(tmp_path / "file")
    assert list(tmp_path.iterdir()) == [precious]


@pytest.mark.needs("other users")
def test_directories_that_nobody_may_enter_are_removed_without_being_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    # Nobody may not pass through the directories above, and need not, from here.
    monkeypatch.chdir(tmp_path)
    os.seteuid(NOBODY)
    try:
        os.makedirs("job/locked/inner/innermost")
        for path in ("job/locked/inner", "job/locked", "job"):
            os.chmod(path, 0)
        remove_tree("job")
        assert os.listdir() == []
    finally:
        os.seteuid(0)


def test_no_descriptor_is_left_of_a_tree_that_was_removed(tmp_path: Path) -> None:
    top = tmp_path / "job"
    (top / "one" / "below").mkdir(parents=True)
    (top / "one" / "below" / "file").write_text("x")
    before = os.listdir("/proc/self/fd")
    remove_tree(top)
    assert not top.exists()
    assert os.listdir("/proc/self/fd") == before
