"""Removing what jobs leave in their directories."""

import os
from pathlib import Path

from supervisor.trees import remove_tree


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
