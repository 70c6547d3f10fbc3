"""Rows: what is saved is loaded, what is damaged is told from what is sound, and each row stands for itself."""

import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from journal_support import FILE, claim, make_version_1

from supervisor.journal import rows
from supervisor.journal.records import Entry, RowState
from supervisor.journal.schema import open_database

WAITING = Entry(2, claim("waiting"), result=b'{"x": 1}', finished_at=2.5)
DEAD = Entry(3, claim("dead"), result=b"r", finished_at=3.5, dead_reason="refused")
RUNNING = Entry(5, claim("running"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = open_database(tmp_path / FILE)
    yield database
    database.close()


@pytest.fixture
def filled(database: sqlite3.Connection) -> sqlite3.Connection:
    for entry in (RUNNING, WAITING, DEAD):
        rows.save(database, entry)
    rows.save_fact(database, "name", "value")
    return database


def test_what_was_saved_is_loaded_in_the_order_of_its_numbers(filled: sqlite3.Connection) -> None:
    loaded = rows.load(filled)
    assert loaded.entries == [WAITING, DEAD, RUNNING]
    assert (loaded.facts, loaded.highest, loaded.repaired) == ({"name": "value"}, 5, set())
    assert rows.salvage(filled) == rows.Loaded([WAITING, DEAD, RUNNING], {"name": "value"}, 5)


def test_a_row_is_replaced_by_the_entry_as_it_is_now(filled: sqlite3.Connection) -> None:
    rows.save(filled, Entry(2, claim("waiting"), result=b"other", finished_at=9.0))
    rows.save_fact(filled, "name", "other")
    loaded = rows.load(filled)
    assert (loaded.entries[0].result, loaded.facts) == (b"other", {"name": "other"})


def test_the_highest_number_is_known_also_when_its_row_is_gone(filled: sqlite3.Connection) -> None:
    rows.remove(filled, RUNNING)
    loaded = rows.load(filled)
    assert [entry.number for entry in loaded.entries] == [2, 3]
    assert loaded.highest == 5


@pytest.mark.parametrize(
    "other", [Entry(2, claim("another")), Entry(5, claim("waiting")), Entry(9, claim("waiting"))]
)
def test_removing_a_row_removes_no_other_that_has_the_number_or_the_job(
    filled: sqlite3.Connection, other: Entry
) -> None:
    rows.remove(filled, other)
    assert len(rows.load(filled).entries) == 3
    rows.remove(filled, WAITING)
    assert [entry.number for entry in rows.load(filled).entries] == [3, 5]


def test_a_look_shows_what_is_dead(filled: sqlite3.Connection) -> None:
    assert sorted(rows.look(filled)) == [RowState(2, False), RowState(3, True), RowState(5, False)]


def test_a_result_that_does_not_fit_its_checksum_becomes_a_dead_letter_as_it_is(
    filled: sqlite3.Connection,
) -> None:
    filled.execute("UPDATE claims SET result = CAST('damaged' AS BLOB) WHERE number IN (2, 3)")
    loaded = rows.load(filled)
    waiting, dead, _ = loaded.entries
    assert (waiting.state, waiting.result, waiting.dead_reason) == ("dead", b"damaged", rows.DAMAGED)
    assert dead.dead_reason == "refused"  # it is one already, and keeps its reason
    assert loaded.repaired == {2}


@pytest.mark.parametrize(
    ("result", "sound"),
    [
        (b'{"jobExecutionId": "waiting", "x": 1}', True),
        (b'{"jobExecutionId": "another"}', False),
        (b'["waiting"]', False),
        (b"{}", False),
        (b"no json", False),
        (b"[" * 100_000, False),
        (b"\xff\xfe", False),
    ],
)
def test_without_a_checksum_a_result_is_sound_when_it_is_json_of_its_job(
    filled: sqlite3.Connection, result: bytes, sound: bool
) -> None:
    filled.execute("UPDATE claims SET checksum = NULL, result = ? WHERE number = 2", (result,))
    entry = rows.load(filled).entries[0]
    assert (entry.state, entry.result) == ("waiting" if sound else "dead", result)


def test_a_checksum_counts_also_where_it_is_zero(filled: sqlite3.Connection) -> None:
    assert zlib.crc32(b"") == 0
    rows.save(filled, Entry(2, claim("waiting"), result=b"", finished_at=1.0))
    assert rows.load(filled).entries[0].state == "waiting"


def test_rows_of_version_1_are_read_without_what_it_did_not_have(tmp_path: Path) -> None:
    make_version_1(tmp_path)
    database = sqlite3.connect(tmp_path / FILE)
    loaded = rows.load(database)
    assert [(entry.claim.job_id, entry.state, entry.finished_at) for entry in loaded.entries] == [
        ("running", "running", None),
        ("waiting", "waiting", None),
        ("dead", "dead", None),
    ]
    assert rows.salvage(database).entries == loaded.entries
    database.close()


@pytest.mark.parametrize("column", ["number", "job_id", "block_id", "worker_uuid", "claimed_at", "digest"])
def test_a_row_of_which_the_claim_is_no_claim_is_left_out_and_stops_no_other(column: str) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE claims (" + rows._COLUMNS + ")")
    database.execute("CREATE TABLE facts (name, value)")
    database.execute("INSERT INTO facts VALUES ('name', 'value'), (1, 'x'), ('y', 2)")
    database.execute("PRAGMA user_version = 2")
    for entry in (WAITING, RUNNING):
        rows.save(database, entry)
    database.execute(f"UPDATE claims SET {column} = CAST('?' AS BLOB) WHERE number = 2")
    loaded = rows.salvage(database)
    assert loaded.entries == [RUNNING]
    assert loaded.facts == {"name": "value"}
    database.close()


def test_a_result_that_is_no_blob_is_a_dead_letter_without_one() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE claims (" + rows._COLUMNS + ")")
    database.execute("PRAGMA user_version = 2")
    rows.save(database, WAITING)
    database.execute("UPDATE claims SET result = 7")
    (entry,) = rows.salvage(database).entries
    assert (entry.result, entry.dead_reason) == (b"", rows.DAMAGED)
    database.close()


class DamagedInTheMiddle:
    """As a file of which SQLite can read both ends."""

    def __init__(self, sound: sqlite3.Connection) -> None:
        self._sound = sound

    def execute(self, query: str) -> Any:
        if "user_version" in query:
            return self._sound.execute("SELECT 2")
        if "facts" in query:
            raise sqlite3.DatabaseError("malformed")
        return self._rows((9, 5) if "DESC" in query else (2, 3))

    def _rows(self, numbers: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
        for number in numbers:
            yield (number, f"j{number}", "p/b:1.0.0", "w-1", 1.5, "d", None, None, None, None, None)
        raise sqlite3.DatabaseError("malformed")


def test_of_a_file_that_is_damaged_in_the_middle_both_ends_are_read_in_the_order_of_their_numbers() -> None:
    sound = sqlite3.connect(":memory:")
    loaded = rows.salvage(DamagedInTheMiddle(sound))  # type: ignore[arg-type]  # it can do what is asked of it
    sound.close()
    assert [entry.number for entry in loaded.entries] == [2, 3, 5, 9]
    assert loaded.highest == 9
