"""Entries and facts in SQL. All of it runs in the connection's thread, inside the caller's transaction."""

import json
import math
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from supervisor.journal.records import Claim, Entry, RowState
from supervisor.journal.schema import version_of

DAMAGED: Final = "The result was damaged in the journal's file, and can't be sent."

_OF_VERSION_1: Final = "number, job_id, block_id, worker_uuid, claimed_at, digest, result, dead_reason"
_COLUMNS: Final = f"{_OF_VERSION_1}, finished_at, checksum, replaced_by"
_COLUMNS_OF_VERSION: Final = {
    1: f"{_OF_VERSION_1}, NULL, NULL, NULL",
    2: f"{_OF_VERSION_1}, finished_at, checksum, NULL",
}


@dataclass(slots=True)
class Loaded:
    """The content of a file. `repaired` are the numbers of entries that differ from the file."""

    entries: list[Entry] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    highest: int = 0
    """The highest number that was ever given."""
    repaired: set[int] = field(default_factory=set)
    accepted: set[int] = field(default_factory=set)
    """Numbers of entries that an earlier run should have removed. They must never be sent (`AcceptedResults`)."""


def save(database: sqlite3.Connection, entry: Entry) -> None:
    """Write the entry's row, whether there is one or not. A result that is not in memory stays as it is."""
    claim, result = entry.claim, entry.result
    if entry.absent_bytes is not None:
        database.execute(
            "UPDATE claims SET dead_reason = ?, finished_at = ?, replaced_by = ? "
            "WHERE number = ? AND job_id = ? AND claimed_at = ?",
            (
                entry.dead_reason,
                entry.finished_at,
                entry.replaced_by,
                entry.number,
                claim.job_id,
                claim.claimed_at,
            ),
        )
        return
    checksum = None if result is None else zlib.crc32(result)
    row = (entry.number, claim.job_id, claim.block_id, claim.worker_uuid, claim.claimed_at, claim.digest)
    database.execute(
        f"INSERT OR REPLACE INTO claims ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # ours
        (*row, result, entry.dead_reason, entry.finished_at, checksum, entry.replaced_by),
    )


def remove(database: sqlite3.Connection, entry: Entry) -> None:
    """Remove the entry's row, but not another claim's row that happens to have its number."""
    database.execute(
        "DELETE FROM claims WHERE number = ? AND job_id = ? AND claimed_at = ?",
        (entry.number, entry.claim.job_id, entry.claim.claimed_at),
    )


def is_there(database: sqlite3.Connection, entry: Entry) -> bool:
    """Whether the entry's row exists, whatever its content is."""
    query = "SELECT 1 FROM claims WHERE number = ? AND job_id = ? AND claimed_at = ?"
    row = (entry.number, entry.claim.job_id, entry.claim.claimed_at)
    return database.execute(query, row).fetchone() is not None


def save_fact(database: sqlite3.Connection, name: str, value: str) -> None:
    """Remember a fact."""
    database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def look(database: sqlite3.Connection) -> list[RowState]:
    """Return the columns that others may have changed."""
    query = "SELECT number, dead_reason IS NOT NULL FROM claims"
    return [RowState(number, bool(dead)) for number, dead in database.execute(query)]


def load(database: sqlite3.Connection, *, dead_bytes: float = math.inf) -> Loaded:
    """Read everything, but at most `dead_bytes` of dead letters' results: the rest stays in the file.

    Raises `sqlite3.Error`. A row whose result is damaged becomes a dead letter, and stops no other row.
    """
    loaded = _read(database)
    for place, entry in enumerate(loaded.entries):
        if entry.absent_bytes is not None and entry.absent_bytes <= dead_bytes:
            dead_bytes -= entry.absent_bytes
            loaded.entries[place] = _with_text(database, entry)
    return loaded


def outline(database: sqlite3.Connection, with_text_of: Collection[int] = ()) -> Loaded:
    """Same as `load`, but with the results of these numbers only: all results may not fit into memory."""
    loaded = _read(database, with_text_of)
    loaded.entries = [
        _with_text(database, entry) if entry.number in with_text_of and entry.state == "dead" else entry
        for entry in loaded.entries
    ]
    return loaded


def read_text(database: sqlite3.Connection, entry: Entry) -> tuple[Entry | None, bool]:
    """Return an entry with the result that only the file has, if it exists, and whether the result is sound."""
    query = "SELECT result, checksum FROM claims WHERE number = ? AND job_id = ? AND claimed_at = ?"
    row = (entry.number, entry.claim.job_id, entry.claim.claimed_at)
    for result, checksum in database.execute(query, row):
        if result is not None:
            found = replace(entry, result=result, absent_bytes=None)
            return found, _is_sound(result, entry.claim.job_id, checksum)
    return None, False


def _with_text(database: sqlite3.Connection, entry: Entry) -> Entry:
    for (result,) in database.execute("SELECT result FROM claims WHERE number = ?", (entry.number,)):
        return replace(entry, result=result, absent_bytes=None)
    return entry  # somebody has dropped it meanwhile


def _read(database: sqlite3.Connection, with_text_of: Collection[int] | None = None) -> Loaded:
    loaded = Loaded(facts=dict(database.execute("SELECT name, value FROM facts")))
    # A waiting result is always read, to check it. SQLite knows its length without reading the text.
    columns = _columns(database).replace("result, ", "CASE WHEN dead_reason IS NULL THEN result END, ")
    query = f"SELECT {columns}, length(result) FROM claims ORDER BY number"  # noqa: S608  # ours
    for *row, size in database.execute(query):
        _take(row, loaded, size)
        if with_text_of is not None and loaded.entries and loaded.entries[-1].number not in with_text_of:
            loaded.entries[-1] = loaded.entries[-1].without_text()
    for (highest,) in database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'claims'"):
        loaded.highest = max(loaded.highest, int(highest))
    return loaded


def salvage(database: sqlite3.Connection) -> Loaded:
    """Read what can be read of a damaged file: from both ends, as far as possible. Raises nothing."""
    loaded = Loaded()
    for name, value in _as_far_as_it_goes(database, "SELECT name, value FROM facts"):
        if isinstance(name, str) and isinstance(value, str):
            loaded.facts[name] = value
    known: set[int] = set()
    for query in (
        "SELECT {} FROM claims ORDER BY number",
        "SELECT {} FROM claims ORDER BY number DESC",
    ):
        for row in _as_far_as_it_goes(database, query):
            if row[0] not in known:
                known.add(row[0])
                _take(row, loaded)
    loaded.entries.sort(key=lambda entry: entry.number)
    return loaded


def _as_far_as_it_goes(database: sqlite3.Connection, query: str) -> Iterator[Sequence[Any]]:
    try:
        yield from database.execute(query.format(_columns(database)))
    except (sqlite3.Error, UnicodeDecodeError):
        return


def _columns(database: sqlite3.Connection) -> str:
    return _COLUMNS_OF_VERSION.get(version_of(database), _COLUMNS)


def _take(row: Sequence[Any], loaded: Loaded, size: int | None = None) -> None:
    number, job_id, block_id, worker_uuid, claimed_at, digest, result, dead_reason, *newer = row
    finished_at, checksum, replaced_by = newer
    texts = (job_id, block_id, worker_uuid, digest)
    if not (
        isinstance(number, int)
        and isinstance(claimed_at, float)
        and all(isinstance(text, str) for text in texts)
    ):
        return  # not even the job's id is reliable
    claim = Claim(job_id, block_id, worker_uuid, claimed_at, digest)
    absent_bytes = size if result is None else None
    entry = Entry(number, claim, result, finished_at, dead_reason, replaced_by, absent_bytes)
    loaded.highest = max(loaded.highest, number)
    if result is not None and not _is_sound(result, job_id, checksum) and dead_reason is None:
        entry = replace(entry, result=result if isinstance(result, bytes) else b"", dead_reason=DAMAGED)
        loaded.repaired.add(number)
    loaded.entries.append(entry)


def _is_sound(result: Any, job_id: str, checksum: Any) -> bool:
    if not isinstance(result, bytes):
        return False
    if checksum is not None:
        return bool(zlib.crc32(result) == checksum)
    # Written by a version without checksums.
    try:
        parsed = json.loads(result)
    except (ValueError, RecursionError):
        return False
    return isinstance(parsed, dict) and parsed.get("jobExecutionId") == job_id
