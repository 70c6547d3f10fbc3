"""The writer's chores, with a clock of the test's: when the log is emptied, and when the file is looked at."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_support import FILE, claim, raw

from supervisor.journal import maintenance as chores_module
from supervisor.journal import rows
from supervisor.journal.maintenance import Maintenance
from supervisor.journal.records import Entry, RowState
from supervisor.journal.schema import BUSY_MILLISECONDS, open_database


class Watched:
    """Maintenance on a real file, what it has told, and the time as it sees it."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(chores_module.time, "monotonic", lambda: self.now)
        self.told: list[object] = []
        self.database = open_database(directory / FILE)
        self.chores = Maintenance(directory / FILE, self.told.append, lambda: self.told.append("lost"))
        self.chores.opened(self.database)
        self.log = directory / f"{FILE}-wal"

    def do(self, after_seconds: float, *, idle: bool = True) -> None:
        self.now += after_seconds
        self.chores.do(self.database, idle=idle)

    def write(self, number: int) -> None:
        rows.save(self.database, Entry(number, claim("a")))
        self.chores.deleted()

    @property
    def log_is_empty(self) -> bool:
        return self.log.stat().st_size == 0


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    watched = Watched(tmp_path, monkeypatch)
    yield watched
    monkeypatch.undo()
    watched.database.close()


def test_the_log_is_emptied_when_it_is_quiet_and_at_most_once_a_second(watched: Watched) -> None:
    watched.write(1)
    assert not watched.log_is_empty
    watched.do(0)
    assert watched.log_is_empty
    watched.write(2)
    watched.do(0.9)
    assert not watched.log_is_empty
    watched.do(0.2)
    assert watched.log_is_empty


def test_a_worker_that_is_never_quiet_empties_it_after_five_seconds(watched: Watched) -> None:
    watched.do(0)
    watched.write(1)
    watched.do(5.0, idle=False)
    assert not watched.log_is_empty
    watched.write(2)  # the first that waits counts
    watched.do(0.1, idle=False)
    assert watched.log_is_empty


def test_what_was_emptied_is_left_alone_until_something_is_deleted(watched: Watched) -> None:
    watched.do(0)
    rows.save(watched.database, Entry(1, claim("a")))
    watched.do(60)
    assert not watched.log_is_empty


def test_the_writer_is_woken_soon_only_while_something_is_to_be_emptied(watched: Watched) -> None:
    assert watched.chores.pause_seconds == 0.2
    watched.do(0)
    assert watched.chores.pause_seconds == 2.0
    watched.chores.deleted()
    assert watched.chores.pause_seconds == 0.2


def test_a_reader_in_the_way_is_not_waited_for_and_it_is_tried_again(
    watched: Watched, tmp_path: Path
) -> None:
    watched.write(1)
    reader = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM claims").fetchall()
    watched.write(2)
    watched.do(0)
    assert not watched.log_is_empty
    assert watched.database.execute("PRAGMA busy_timeout").fetchone() == (BUSY_MILLISECONDS,)
    reader.close()
    watched.do(1)
    assert watched.log_is_empty


def test_a_change_by_another_is_told_of_at_the_next_look_and_once(watched: Watched, tmp_path: Path) -> None:
    watched.write(1)
    watched.do(0)
    assert watched.told == []  # our own writes are none
    raw(tmp_path, "UPDATE claims SET dead_reason = 'x'")
    watched.do(1.5)
    assert watched.told == []
    watched.do(0.5)
    assert watched.told == [[RowState(1, True)]]
    watched.do(60)
    assert len(watched.told) == 1
    watched.chores.look_again()
    watched.do(60)
    assert watched.told == [[RowState(1, True)]] * 2


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_was_taken_away_is_told_of_once(watched: Watched, tmp_path: Path, replaced: bool) -> None:
    (tmp_path / FILE).rename(tmp_path / "elsewhere")
    if replaced:
        (tmp_path / FILE).write_bytes(b"")
    watched.do(0)
    watched.do(60)
    assert watched.told == ["lost"]


def test_without_a_file_and_with_one_that_fails_nothing_is_raised(watched: Watched) -> None:
    watched.chores.do(None, idle=True)
    watched.database.close()
    watched.do(60)
    assert watched.told == []
