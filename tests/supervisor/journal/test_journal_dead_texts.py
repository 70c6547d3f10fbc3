"""Results of dead letters are in memory only up to a bound: the file alone has the others, and loses none of them."""

import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from journal_support import FILE, claim, raw

from supervisor.journal import Ledger, dead_texts, durable_copy, offline
from supervisor.journal.row import Row
from supervisor.log.events.results import DeadLetterLost, DeadLetterRetried, JournalReplaced, ResultDamaged
from tests.log_events import told
from tests.patience import until

QUICKLY = 0.05
SIZE = 1000
ROOM = 2
JOBS = ("a", "b", "c", "d", "e")
STATES = "SELECT job_id, result, dead_reason FROM claims ORDER BY number"


def text(job_id: str) -> bytes:
    return job_id.encode() * SIZE


def rows_of(ledger: Ledger) -> list[Row]:
    return sorted(ledger._claims._rows.values(), key=lambda row: row.entry.number)


def in_memory(ledger: Ledger) -> list[str]:
    """The jobs of which the results are in memory."""
    return [row.entry.claim.job_id for row in rows_of(ledger) if row.entry.result is not None]


@pytest.fixture(autouse=True)
def _little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dead_texts, durable_copy):
        monkeypatch.setattr(module, "MOST_BYTES", ROOM * SIZE)


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Five dead letters, of which memory has room for two, and a claim that runs."""
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    for number, job_id in zip(await ledger.claim([claim(job_id) for job_id in JOBS]), JOBS, strict=True):
        await ledger.store_result(number, text(job_id))
        await ledger.mark_dead(number, "refused")
    await ledger.claim([claim("running")])
    yield ledger
    await ledger.close()


def whole() -> list[tuple[object, ...]]:
    return [*((job_id, text(job_id), "refused") for job_id in JOBS), ("running", None, None)]


async def test_dead_letters_fill_no_more_memory_than_there_is_for_them_and_the_file_has_all(
    tmp_path: Path, ledger: Ledger
) -> None:
    assert in_memory(ledger) == ["a", "b"]
    assert raw(tmp_path, STATES) == whole()
    assert ledger.count() == (6, 5)
    assert ledger.known_job_ids() == {*JOBS, "running"}
    assert (ledger.undelivered(), ledger.is_whole) == ([], True)
    await ledger.close()
    after = await Ledger.open(tmp_path)
    assert in_memory(after) == ["a", "b"]
    assert (after.count(), after.undelivered()) == ((6, 5), [])
    assert [entry.claim.job_id for entry in after.interrupted()] == ["running"]
    await after.close()
    assert raw(tmp_path, STATES) == whole()


async def test_a_refused_result_and_the_one_in_its_place_are_in_the_file_and_only_the_latter_in_memory(
    tmp_path: Path, ledger: Ledger
) -> None:
    (number,) = await ledger.claim([claim("refused")])
    await ledger.store_result(number, text("r"))
    replacement = await ledger.replace_refused(number, "too large", b"failed")
    assert replacement is not None
    assert replacement.text == b"failed"
    assert [each.text for each in ledger.undelivered()] == [b"failed"]
    assert in_memory(ledger) == ["a", "b", "refused"]
    assert raw(tmp_path, STATES)[6:] == [("refused", text("r"), "too large"), ("refused", b"failed", None)]


async def test_a_job_that_is_claimed_again_takes_no_dead_letter_along_and_a_result_does_not_replace_its(
    tmp_path: Path, ledger: Ledger
) -> None:
    await ledger.close()
    after = await Ledger.open(tmp_path)
    await after.claim([claim("d")])
    await after.store_result(4, b"another")
    after.foresee_result(5, b"another")
    assert after.count() == (7, 5)
    await after.close()
    assert raw(tmp_path, STATES) == [*whole(), ("d", None, None)]


async def test_dead_letters_that_the_file_alone_has_are_read_when_they_are_to_be_sent_again(
    tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    assert offline.requeue(tmp_path / FILE, [1, 3, 5]) == 3
    await until(lambda: len(ledger.undelivered()) == 3, "all are to be sent")
    assert [each.text for each in ledger.undelivered()] == [text("a"), text("c"), text("e")]
    assert len(told(caplog, DeadLetterRetried)) == 3
    await ledger.mark_dead(3, "refused again")
    assert in_memory(ledger) == ["a", "b", "c", "e"]  # there is room again: `a` is no dead letter any more
    await ledger.mark_dead(5, "refused again")
    assert in_memory(ledger) == ["a", "b", "c"]
    ledger.forget(1)
    await ledger.close()
    assert [row[:2] for row in raw(tmp_path, STATES)] == [row[:2] for row in whole()[1:]]


async def test_a_dead_letter_whose_result_is_damaged_meanwhile_stays_one_when_it_is_to_be_sent_again(
    tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    raw(tmp_path, f"UPDATE claims SET result = zeroblob({SIZE}), dead_reason = NULL WHERE number = 4")
    await until(lambda: told(caplog, ResultDamaged), "it is told")
    await until(lambda: ledger.is_whole, "it is saved")
    ((reason, result),) = raw(tmp_path, "SELECT dead_reason, result FROM claims WHERE number = 4")
    assert "damaged" in str(reason)
    assert result == bytes(SIZE)  # kept as it is, for a person to look at
    assert ledger.undelivered() == []


async def test_of_a_file_that_is_gone_the_dead_letters_that_it_alone_had_are_told_and_the_others_written_anew(
    tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    await until(lambda: told(caplog, DeadLetterLost), "it is told")
    await until(lambda: ledger.is_whole, "the new file is whole")
    assert len(told(caplog, DeadLetterLost)) == 3
    assert raw(tmp_path, STATES) == [*whole()[:2], whole()[-1]]
    assert ledger.count() == (3, 2)


async def test_of_a_damaged_file_the_dead_letters_are_saved_that_can_be_read_of_it(
    tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    def damaged(error: sqlite3.DatabaseError) -> None:
        ledger._durable_copy._on_fault(durable_copy.DiskFault.DAMAGED, error)

    damaged(sqlite3.DatabaseError("database disk image is malformed"))
    await until(lambda: told(caplog, JournalReplaced), "it is moved aside")
    await until(lambda: ledger.is_whole, "the new file is whole")
    assert raw(tmp_path, STATES) == whole()
    assert len(in_memory(ledger)) == ROOM
    assert told(caplog, DeadLetterLost) == []


async def test_a_file_that_is_opened_again_and_is_the_same_loses_no_dead_letter(
    tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    await ledger._durable_copy._open()
    assert ledger.is_whole
    assert in_memory(ledger) == ["a", "b"]
    assert told(caplog, DeadLetterLost) == []
    assert raw(tmp_path, STATES) == whole()


async def test_a_journal_that_is_read_late_keeps_dead_letters_whose_numbers_were_given_again(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.close()
    opened = durable_copy.Journal.open

    def fails(self: durable_copy.Journal, dead_bytes: float) -> object:
        del dead_bytes
        return self.call(lambda: (_ for _ in ()).throw(OSError(28, os.strerror(28))))

    monkeypatch.setattr(durable_copy.Journal, "open", fails)
    after = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    await after.claim([claim(f"new-{number}") for number in range(4)])
    monkeypatch.setattr(durable_copy.Journal, "open", opened)
    await until(lambda: after.is_whole, "it is read")
    kept = dict(raw(tmp_path, "SELECT job_id, result FROM claims WHERE dead_reason NOT NULL"))
    assert kept == {job_id: text(job_id) for job_id in JOBS}
    assert len(in_memory(after)) == ROOM
    await after.close()
