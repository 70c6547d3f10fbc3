"""A damaged journal that is moved aside takes its log along, without which it would be less than it was."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_support import FILE, claim

from supervisor.journal import Ledger
from supervisor.journal.records import Entry
from supervisor.journal.store import Journal, read_damaged
from tests.patience import until


@contextlib.contextmanager
def reader_of(path: Path) -> Iterator[None]:
    """Hold the file open: else SQLite empties its log into it, and removes the log, when the worker closes it."""
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM claims").fetchall()
    try:
        yield
    finally:
        reader.close()


async def test_the_log_is_moved_aside_with_its_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await journal.open()
    with reader_of(tmp_path / FILE):
        await journal.save([Entry(1, claim("only-in-the-log"))])
        log = (tmp_path / f"{FILE}-wal").read_bytes()
        assert b"only-in-the-log" in log
        assert b"only-in-the-log" not in (tmp_path / FILE).read_bytes()
        aside, salvaged = await journal.move_aside()
        assert Path(f"{aside}-wal").read_bytes() == log
        assert Path(f"{aside}-shm").exists()
        assert sorted(tmp_path.glob(f"{FILE}*")) == sorted(tmp_path.glob("*corrupt*"))
        assert [entry.claim.job_id for entry in salvaged.entries] == ["only-in-the-log"]
    assert [entry.claim.job_id for entry in read_damaged(aside).entries] == ["only-in-the-log"]
    # The new file begins with nothing of the old one.
    assert (await journal.open()).entries == []
    journal.close()


async def test_each_damaged_file_is_kept_beside_those_before(tmp_path: Path) -> None:
    for count in (1, 2, 3):
        (tmp_path / FILE).write_bytes(b"something else " * 500)
        ledger = await Ledger.open(tmp_path, mend_seconds=0.05)
        await until(lambda ledger=ledger: ledger.is_whole, "a new file is in use")
        await ledger.close()
        assert len(list(tmp_path.glob("*corrupt*Z"))) == count


async def test_a_file_that_was_moved_aside_is_not_open_any_more(tmp_path: Path) -> None:
    """The next write must not go to it."""
    journal = Journal(tmp_path)
    await journal.open()
    aside, _ = await journal.move_aside()
    open_files = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
    assert not [name for name in open_files if name.startswith(str(tmp_path / FILE))]
    with pytest.raises(OSError, match="not open"):
        await journal.save([Entry(1, claim("too early"))])
    assert read_damaged(aside).entries == []
    journal.close()
