"""A journal that is opened anew may be another file: all that this run knows is written to it (I1, I12)."""

import errno
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from journal_support import FILE, claim, raw

from supervisor.journal import Ledger, offline, rows
from supervisor.journal import writer as writer_module
from supervisor.log.events.results import DeadLetterRetried, JournalReplaced, JournalRestored
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until

QUICKLY = 0.05


class BadDisk:
    """Fails every write with EIO until the file is opened anew, and opening it as long as told. `opened` counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.takes_writes = self.opens = True
        self.opened = 0
        self.before_opening: Callable[[], object] = lambda: None
        self._save, self._open = rows.save, writer_module.open_database
        monkeypatch.setattr(rows, "save", self._saved)
        monkeypatch.setattr(writer_module, "open_database", self._opened)

    def _saved(self, database: sqlite3.Connection, entry: rows.Entry) -> None:
        if not self.takes_writes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._save(database, entry)

    def _opened(self, path: Path) -> sqlite3.Connection:
        self.opened += 1
        self.before_opening()
        if not self.opens:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        database = self._open(path)
        self.takes_writes = True
        return database


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> BadDisk:
    return BadDisk(monkeypatch)


@pytest.fixture
async def ledger(tmp_path: Path, disk: BadDisk) -> AsyncIterator[Ledger]:
    """The file of it has a result that waits, a job that runs, and a dead letter; a fourth claim has met EIO."""
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    await ledger.remember("worker_uuid", "w-1")
    waiting, _, dead = await ledger.claim([claim("waiting"), claim("running"), claim("dead")])
    await ledger.store_result(waiting, b"result")
    await ledger.store_result(dead, b"refused")
    await ledger.mark_dead(dead, "HTTP 400")
    disk.takes_writes = False
    yield ledger
    await ledger.close()


async def meet_the_fault(ledger: Ledger) -> None:
    await ledger.claim([claim("last")])
    assert not ledger.is_whole


async def assert_nothing_is_lost(ledger: Ledger, directory: Path) -> None:
    """Neither now, nor after an orderly end."""
    assert raw(directory, "SELECT job_id, result, dead_reason FROM claims ORDER BY number") == [
        ("waiting", b"result", None),
        ("running", None, None),
        ("dead", b"refused", "HTTP 400"),
        ("last", None, None),
    ]
    facts = dict(raw(directory, "SELECT name, value FROM facts"))
    assert facts == ledger._durable_copy.facts
    assert (facts["worker_uuid"], facts["digest_key"]) == ("w-1", ledger.digest_key.hex())
    await ledger.close()
    after = await Ledger.open(directory)
    assert [result.text for result in after.undelivered()] == [b"result"]
    assert [entry.claim.job_id for entry in after.interrupted()] == ["running", "last"]
    await after.close()


def take_away(directory: Path) -> None:
    for path in directory.glob(f"{FILE}*"):
        path.unlink()


async def test_a_file_that_is_found_damaged_when_it_is_opened_again_is_replaced_by_one_with_all_that_is_open(
    tmp_path: Path, disk: BadDisk, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    def damage() -> None:
        disk.before_opening = lambda: None
        with (tmp_path / FILE).open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(4096)
            file.write(b"\xa5" * (size - 4096))

    disk.before_opening = damage
    await meet_the_fault(ledger)
    await until(lambda: told(caplog, JournalRestored), "the journal is said to be complete")
    assert len(told(caplog, JournalReplaced)) == 1
    await assert_nothing_is_lost(ledger, tmp_path)


async def test_a_file_that_was_taken_away_while_it_could_not_be_opened_is_made_again_with_all_that_is_open(
    tmp_path: Path, disk: BadDisk, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    disk.opens = False
    await meet_the_fault(ledger)
    before = disk.opened
    await until(lambda: disk.opened > before, "the file is opened again, in vain")
    take_away(tmp_path)
    disk.opens = True
    await until(lambda: told(caplog, JournalRestored), "the journal is said to be complete")
    await assert_nothing_is_lost(ledger, tmp_path)


async def test_a_file_whose_loss_is_noticed_while_it_is_opened_again_is_made_again_with_all_that_is_open(
    tmp_path: Path, disk: BadDisk, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    opening, answers = threading.Event(), threading.Event()

    def hang() -> None:
        opening.set()
        answers.wait(PATIENCE_SECONDS)

    disk.before_opening = hang
    await meet_the_fault(ledger)
    await until(opening.is_set, "the file is being opened")
    take_away(tmp_path)
    ledger._on_lost()  # as the writer's thread has it called when it looks
    answers.set()
    await until(lambda: told(caplog, JournalRestored), "the journal is said to be complete")
    await assert_nothing_is_lost(ledger, tmp_path)


async def test_a_file_that_is_opened_again_and_is_the_same_loses_no_removal_and_no_retry_of_a_dead_letter(
    tmp_path: Path, disk: BadDisk, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    (waiting,) = ledger.undelivered()
    ((dead,),) = raw(tmp_path, "SELECT number FROM claims WHERE job_id = 'dead'")
    saved: list[int] = []
    write = disk._save

    def note(database: sqlite3.Connection, entry: rows.Entry) -> None:
        saved.append(entry.number)
        write(database, entry)

    disk._save = note
    disk.opens = False
    await meet_the_fault(ledger)
    before = disk.opened
    await until(lambda: disk.opened > before, "the file is opened again, in vain")
    ledger.forget(waiting.number)  # the engine has it
    assert offline.requeue(tmp_path / FILE, [int(str(dead))]) == 1
    disk.opens = True
    await until(lambda: ledger.is_whole, "mended")
    await until(lambda: told(caplog, DeadLetterRetried), "the retry is seen")
    assert [result.text for result in ledger.undelivered()] == [b"refused"]
    assert saved == [4]  # the file had the others
    states = raw(tmp_path, "SELECT job_id, dead_reason FROM claims ORDER BY number")
    assert states == [("running", None), ("dead", None), ("last", None)]
