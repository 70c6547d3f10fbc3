"""What somebody beside the worker reads of the journal: no more than one result at a time, however many there are."""

import sqlite3
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_support import FILE, claim

from supervisor.journal import rows
from supervisor.journal.offline import read_entries, read_facts
from supervisor.journal.records import Entry
from supervisor.journal.schema import open_database

TEXT = b"x" * 2**20
RESULTS = 24


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Path]:
    """Dead letters of 1 MiB each but for the last one, which waits; and a claim that runs."""
    database = open_database(tmp_path / FILE)
    for number in range(1, RESULTS):
        rows.save(database, Entry(number, claim(f"dead-{number}"), TEXT, 1.0, "refused"))
    rows.save(database, Entry(RESULTS, claim("waiting"), TEXT, 1.0))
    rows.save(database, Entry(RESULTS + 1, claim("running")))
    rows.save_fact(database, "name", "value")
    yield tmp_path / FILE
    database.close()


def test_a_list_of_claims_has_their_sizes_and_never_all_results_in_memory(journal: Path) -> None:
    tracemalloc.start()
    try:
        entries = read_entries(journal)
        assert read_facts(journal) == {"name": "value"}
        (_, peak) = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(TEXT)
    assert [entry.state for entry in entries] == ["dead"] * (RESULTS - 1) + ["waiting", "running"]
    assert [entry.size for entry in entries] == [len(TEXT)] * RESULTS + [None]
    assert [entry.result for entry in entries] == [None] * (RESULTS + 1)


def test_only_claims_that_are_asked_for_have_their_results(journal: Path) -> None:
    entries = read_entries(journal, [2, RESULTS, RESULTS + 1])
    assert {entry.number for entry in entries if entry.result == TEXT} == {2, RESULTS}
    assert entries[1] == Entry(2, claim("dead-2"), TEXT, 1.0, "refused")


def test_a_list_tells_a_damaged_result_and_is_not_led_astray_by_a_claim_that_is_none() -> None:
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE claims ({rows._COLUMNS})")
    database.execute("CREATE TABLE facts (name, value)")
    database.execute("CREATE TABLE other (number INTEGER PRIMARY KEY AUTOINCREMENT)")  # makes sqlite_sequence
    database.execute("PRAGMA user_version = 3")
    for number, job_id in enumerate(("damaged", "asked for", "no claim"), 1):
        rows.save(database, Entry(number, claim(job_id), b"text", 1.0, None if number == 1 else "refused"))
    database.execute("UPDATE claims SET result = CAST('broken' AS BLOB) WHERE number = 1")
    database.execute("UPDATE claims SET digest = 7 WHERE number = 3")
    damaged, asked = rows.outline(database, [2]).entries
    assert (damaged.state, damaged.dead_reason, damaged.result, damaged.size) == (
        "dead",
        rows.DAMAGED,
        None,
        6,
    )
    assert asked.result == b"text"
    database.close()
