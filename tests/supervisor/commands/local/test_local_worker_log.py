"""The worker's log as a file that somebody follows."""

import errno
import os
import stat
from pathlib import Path

import pytest

from supervisor.commands.local.worker_log import Follower, WorkerLogFile


def test_a_follower_reads_whole_lines_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = WorkerLogFile(path)
    file.append("before")
    follower = Follower(path)
    file.append("one")
    assert follower.new_lines() == ["one"]
    with path.open("ab") as opened:
        opened.write(b"tw")
    assert follower.new_lines() == []
    file.append("o")
    assert follower.new_lines() == ["two"]
    file.close()
    follower.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_line_is_lost_when_the_file_is_full_and_only_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = WorkerLogFile(path, largest_bytes=20)
    follower = Follower(path)
    seen = []
    for number in range(30):
        file.append(f"line {number}")
        seen += follower.new_lines()
    file.close()
    follower.close()
    assert seen == [f"line {number}" for number in range(30)]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["log", "log.1"]


def test_a_file_that_was_removed_is_there_again_with_the_next_line_and_who_follows_sees_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log"
    file = WorkerLogFile(path)
    follower = Follower(path)
    file.append("before")
    path.unlink()
    file.append("after")
    assert path.read_text() == "after\n"
    assert follower.new_lines() == ["before", "after"]
    file.close()
    follower.close()


def test_a_new_file_that_can_not_be_made_when_one_is_full_is_made_at_a_later_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    file = WorkerLogFile(path, largest_bytes=20)
    file.append("one")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(WorkerLogFile, "_open", full)
        file.append("two, after which it is full")
    file.append("three, for which there is room in no new file yet")
    file.append("four")
    file.close()
    assert path.read_text() == "four\n"
    assert (tmp_path / "log.1").read_text().splitlines()[-1].startswith("three")


def test_a_file_that_is_not_there_has_no_lines_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    follower = Follower(path)
    assert follower.new_lines() == []
    file = WorkerLogFile(path)
    file.append("one")
    assert follower.new_lines() == ["one"]
    file.close()
    follower.close()
