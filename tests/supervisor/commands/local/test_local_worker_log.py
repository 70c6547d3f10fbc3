"""The worker's log as a file that somebody follows."""

import stat
from pathlib import Path

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


def test_a_file_that_is_not_there_has_no_lines_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    follower = Follower(path)
    assert follower.new_lines() == []
    file = WorkerLogFile(path)
    file.append("one")
    assert follower.new_lines() == ["one"]
    file.close()
    follower.close()
