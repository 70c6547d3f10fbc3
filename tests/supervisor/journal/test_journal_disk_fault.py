"""A disk or a file in trouble: said once, no job stopped, and mended until the file has everything (I12)."""

import asyncio
import errno
import gc
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal_support import FILE, claim, raw

from supervisor.journal import Ledger, StoredResult
from supervisor.journal import durable_copy as durable_copy_module
from supervisor.journal import offline as outside
from supervisor.journal import writer as writer_module
from supervisor.journal.maintenance import LOOK_EVERY_SECONDS
from supervisor.log.events.results import (
    JournalFailing,
    JournalReplaced,
    JournalRestored,
    JournalRewritten,
    ResultDamaged,
    ResultsLost,
)
from tests.log_events import facts_of, records_of, told
from tests.patience import PATIENCE_SECONDS, until

QUICKLY = 0.05


async def on_disk(ledger: Ledger, statement: str) -> Any:
    """Run a statement on the writer's own connection."""
    return await ledger._durable_copy.journal._writer.write(
        lambda database: database.execute(statement).fetchone()
    )


async def fill_disk(ledger: Ledger) -> None:
    """As far as SQLite can tell, the disk is full from now on."""
    (pages,) = await on_disk(ledger, "PRAGMA page_count")
    await on_disk(ledger, f"PRAGMA max_page_count = {pages}")


async def free_disk(ledger: Ledger) -> None:
    await on_disk(ledger, "PRAGMA max_page_count = 1000000")


async def test_a_write_that_fails_on_a_disk_that_is_known_to_hang_is_no_complaint(tmp_path: Path) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    ledger = await Ledger.open(tmp_path)
    was, ledger._durable_copy._disk_fault = (
        ledger._durable_copy._disk_fault,
        durable_copy_module.DiskFault.SLOW,
    )
    write: asyncio.Future[None] | None = asyncio.get_running_loop().create_future()
    assert write is not None
    await ledger._durable_copy._saving(write).wait()
    write.set_exception(OSError(errno.EIO, "x"))
    await asyncio.sleep(0)
    write = None
    gc.collect()
    assert complaints == []
    ledger._durable_copy._disk_fault = was
    await ledger.close()


async def test_a_full_disk_is_said_once_and_everything_goes_on_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    await fill_disk(ledger)
    numbers = await ledger.claim([claim("a"), claim("b"), claim("c"), claim("d")])
    for number in numbers:
        await ledger.store_result(number, b"x" * 100_000)
    await ledger.mark_dead(numbers[1], "refused")
    ledger.forget(numbers[2])
    await ledger.remember("fact", "y" * 10_000)
    assert [result.number for result in ledger.undelivered()] == [numbers[0], numbers[3]]
    assert ledger.known_job_ids() == {"a", "b", "d"}
    assert not ledger.is_whole
    assert not ledger.is_on_disk("fact")
    await asyncio.sleep(5 * QUICKLY)  # several tries to mend, which are not worth a word
    (complaint,) = records_of(caplog, JournalFailing)
    assert complaint.levelname == "ERROR"
    assert "disk is full" in facts_of(complaint)["reason"]
    assert facts_of(complaint)["path"] == str(tmp_path / FILE)
    assert facts_of(complaint)["pause_seconds"] == QUICKLY
    assert told(caplog, JournalRestored) == []
    await free_disk(ledger)
    await until(lambda: told(caplog, JournalRestored), "the journal is mended")
    assert ledger.is_whole
    assert ledger.is_on_disk("fact")
    states = raw(tmp_path, "SELECT job_id, length(result), dead_reason FROM claims ORDER BY number")
    assert states == [("a", 100_000, None), ("b", 100_000, "refused"), ("d", 100_000, None)]
    assert raw(tmp_path, "SELECT value FROM facts WHERE name = 'fact'") == [("y" * 10_000,)]
    await ledger.close()
    assert len(told(caplog, JournalFailing)) == len(told(caplog, JournalRestored)) == 1


async def test_the_next_trouble_is_said_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    for count in (1, 2):
        await fill_disk(ledger)
        await ledger.remember("fact", "y" * 10_000 * count)
        await free_disk(ledger)
        await until(lambda count=count: len(told(caplog, JournalRestored)) == count, "mended")
    assert len(told(caplog, JournalFailing)) == 2
    await ledger.close()


async def test_what_could_not_be_written_until_the_end_is_named_as_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=60)
    await fill_disk(ledger)
    (number,) = await ledger.claim([claim("a")])
    await ledger.store_result(number, b"x" * 100_000)
    await ledger.close()
    assert told(caplog, ResultsLost) == [{"results": 1, "path": str(tmp_path / FILE)}]
    assert [task for task in asyncio.all_tasks() if task.get_name() == "journal's mending"] == []


async def test_closing_writes_what_the_disk_takes_by_then(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=60)
    await fill_disk(ledger)
    (number,) = await ledger.claim([claim("a")])
    await ledger.store_result(number, b"x" * 100_000)
    await free_disk(ledger)
    await ledger.close()
    assert raw(tmp_path, "SELECT length(result) FROM claims") == [(100_000,)]


def overwrite(path: Path) -> None:
    """Damage every page but the first, and the log."""
    for name, start in ((path, 4096), (path.with_name(path.name + "-wal"), 0)):
        with name.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(start)
            file.write(b"\xa5" * max(0, size - start))


async def test_a_file_that_is_damaged_while_it_is_used_is_replaced_by_one_with_all_that_is_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    await ledger.remember("worker_uuid", "w-1")
    first, second = await ledger.claim([claim("a"), claim("b")])
    await ledger.store_result(first, b"r" * 50_000)
    await on_disk_alone(ledger, lambda database: database.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
    overwrite(tmp_path / FILE)
    # SQLite has pages in memory; it sees the damage when it reads the file.
    await on_disk_alone(ledger, lambda database: database.execute("PRAGMA cache_size = 0"))
    await on_disk_alone(ledger, lambda database: database.execute("PRAGMA shrink_memory"))
    await ledger.store_result(second, b"s" * 50_000)
    await until(lambda: ledger.is_whole, "a new file has everything")
    (loud,) = records_of(caplog, JournalReplaced)
    assert loud.levelname == "ERROR"
    (aside,) = [path for path in tmp_path.iterdir() if "corrupt" in path.name and path.name.endswith("Z")]
    assert f"`supervisor journal list --file {aside}`" in loud.getMessage()
    assert facts_of(loud) == {"path": str(tmp_path / FILE), "moved_to": str(aside), "salvaged": ""}
    assert raw(tmp_path, "SELECT job_id, length(result) FROM claims ORDER BY number") == [
        ("a", 50_000),
        ("b", 50_000),
    ]
    assert raw(tmp_path, "SELECT value FROM facts WHERE name = 'worker_uuid'") == [("w-1",)]
    assert raw(tmp_path, "SELECT value FROM facts WHERE name = 'digest_key'") == [(ledger.digest_key.hex(),)]
    await ledger.close()


async def on_disk_alone(ledger: Ledger, operation: Callable[[sqlite3.Connection], object]) -> None:
    writer = ledger._durable_copy.journal._writer

    def work() -> None:
        assert writer.database is not None
        operation(writer.database)

    await writer.call(work)


async def make_journal(directory: Path) -> tuple[int, int]:
    """Leave a journal of an earlier run: one job interrupted, one result undelivered."""
    ledger = await Ledger.open(directory)
    await ledger.remember("worker_uuid", "w-1")
    running, waiting = await ledger.claim([claim("running"), claim("waiting")])
    await ledger.store_result(waiting, b"result")
    await ledger.close()
    return running, waiting


@pytest.mark.parametrize("content", [b"something else " * 500, b"SQLite format 3\0" + b"\xff" * 8000])
async def test_a_file_that_is_no_journal_is_moved_aside_and_the_worker_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    await ledger.claim([claim("a")])
    await until(lambda: ledger.is_whole, "a new file is in use")
    assert len(told(caplog, JournalReplaced)) == 1
    (aside,) = tmp_path.glob("*corrupt*Z")
    assert aside.read_bytes() == content
    await ledger.close()


async def test_a_damaged_file_gives_what_can_be_read_of_it_to_the_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At the start: here an index does not fit its table, and all rows are still there."""
    running, waiting = await make_journal(tmp_path)
    database = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    database.execute("PRAGMA writable_schema = ON")
    database.execute("UPDATE sqlite_schema SET sql = replace(sql, 'digest      TEXT', 'digest      INTEGER')")
    database.close()
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    assert [entry.number for entry in ledger.interrupted()] == [running]
    assert ledger.undelivered() == [StoredResult(waiting, "waiting", b"result", earlier=True)]
    assert await ledger.fact("worker_uuid") == "w-1"
    assert "2 claim(s)" in told(caplog, JournalReplaced)[0]["salvaged"]
    await until(lambda: ledger.is_whole, "the new file has them")
    assert raw(tmp_path, "SELECT job_id FROM claims ORDER BY number") == [("running",), ("waiting",)]
    assert raw(tmp_path, "SELECT value FROM facts WHERE name = 'worker_uuid'") == [("w-1",)]
    assert raw(tmp_path, "SELECT value FROM facts WHERE name = 'digest_key'") == [(ledger.digest_key.hex(),)]
    await ledger.close()


async def test_a_damaged_result_is_a_dead_letter_and_stops_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, waiting = await make_journal(tmp_path)
    raw(tmp_path, "UPDATE claims SET result = CAST('rEsult' AS BLOB) WHERE number = ?", waiting)
    other = (await make_journal(tmp_path))[1]
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    assert [result.number for result in ledger.undelivered()] == [other]
    assert told(caplog, ResultDamaged) == [{"claim": waiting}]
    assert "waiting" in ledger.known_job_ids()
    await ledger.close()
    ((reason,),) = raw(tmp_path, "SELECT dead_reason FROM claims WHERE number = ?", waiting)
    assert "damaged" in str(reason)


async def test_a_file_that_was_removed_is_made_again_with_all_that_is_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    (number,) = await ledger.claim([claim("a")])
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    await until(lambda: (tmp_path / FILE).exists() and ledger.is_whole, "the file is there again")
    await ledger.store_result(number, b"r")
    assert raw(tmp_path, "SELECT job_id, result FROM claims") == [("a", b"r")]
    assert "removed or replaced" in told(caplog, JournalFailing)[0]["reason"]
    await ledger.close()


async def test_a_disk_that_does_not_answer_holds_up_one_job_for_a_bounded_time_and_then_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable_copy_module, "WRITE_TIMEOUT_SECONDS", 1.0)
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    answers = threading.Event()
    ledger._durable_copy.journal._writer.call(answers.wait)
    numbers = await ledger.claim([claim("a")])
    assert "does not answer" in told(caplog, JournalFailing)[0]["reason"]
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for _ in range(200):
        numbers += await ledger.claim([claim("b")])
    assert loop.time() - begin < PATIENCE_SECONDS  # not 200 times the second
    answers.set()
    await until(lambda: told(caplog, JournalRestored), "mended")
    assert [number for (number,) in raw(tmp_path, "SELECT number FROM claims ORDER BY number")] == numbers
    await ledger.close()


async def test_a_file_that_somebody_holds_locked_is_waited_for_once_and_not_for_each_claim(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    await on_disk_alone(ledger, lambda database: database.execute("PRAGMA busy_timeout = 500"))
    holder = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    claims = [asyncio.ensure_future(ledger.claim([claim(f"j{number}")])) for number in range(400)]
    async with asyncio.timeout(PATIENCE_SECONDS):  # one by one, it would be 200 seconds
        await asyncio.gather(*claims)
    assert "another program holds the file" in told(caplog, JournalFailing)[0]["reason"]
    holder.execute("ROLLBACK")
    holder.close()
    await until(lambda: ledger.is_whole, "mended")
    assert raw(tmp_path, "SELECT count(*) FROM claims") == [(400,)]
    await ledger.close()


class Refusing:
    """Opening a database fails for as long as told, as on a full disk."""

    def __init__(self, real: Callable[[Path], sqlite3.Connection]) -> None:
        self.refuses = True
        self._real = real

    def __call__(self, path: Path) -> sqlite3.Connection:
        if self.refuses:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return self._real(path)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    refusing = Refusing(writer_module.open_database)
    monkeypatch.setattr(writer_module, "open_database", refusing)
    return refusing


async def opened_without_its_file(directory: Path, refusing: Refusing) -> Ledger:
    """A ledger that works in memory, as the file of the run before it can't be opened yet."""
    refusing.refuses = False
    await make_journal(directory)
    refusing.refuses = True
    return await Ledger.open(directory, mend_seconds=QUICKLY)


async def test_a_start_with_a_full_disk_works_in_memory_and_takes_in_the_past_when_it_can(
    tmp_path: Path, refusing: Refusing, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await opened_without_its_file(tmp_path, refusing)
    found: list[list[str]] = []

    async def listen() -> None:
        found.append([entry.claim.job_id for entry in ledger.interrupted()])

    ledger.on_found = listen
    assert await ledger.fact("worker_uuid") == "w-1"  # kept beside the journal, too
    # Their numbers are those of the claims in the file, of which nobody can know yet.
    running, delivered, third = await ledger.claim([claim("new"), claim("delivered"), claim("third")])
    ledger.forget(delivered)
    await ledger.store_result(third, b"third")
    refusing.refuses = False
    await until(lambda: found, "the past is taken in")
    await until(lambda: ledger.is_whole, "mended")
    assert found == [["running"]]
    assert ledger.known_job_ids() == {"new", "third", "running", "waiting"}
    assert [(result.job_id, result.text) for result in ledger.undelivered()] == [
        ("waiting", b"result"),
        ("third", b"third"),
    ]
    await ledger.store_result(running, b"new")
    expected = [("new", b"new"), ("third", b"third"), ("running", None), ("waiting", b"result")]
    assert sorted(raw(tmp_path, "SELECT job_id, result FROM claims")) == sorted(expected)
    assert len(told(caplog, JournalFailing)) == 1
    assert await ledger.fact("worker_uuid") == "w-1"
    await ledger.close()


async def test_no_job_waits_for_a_file_that_is_being_opened(
    tmp_path: Path, refusing: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would write could have the number of a claim in that file."""
    ledger = await opened_without_its_file(tmp_path, refusing)
    refusing.refuses = False
    opening, answers = threading.Event(), threading.Event()

    def slowly(path: Path) -> sqlite3.Connection:
        opening.set()
        answers.wait(PATIENCE_SECONDS)
        return refusing(path)

    monkeypatch.setattr(writer_module, "open_database", slowly)
    await until(opening.is_set, "the file is being opened")
    claiming = asyncio.ensure_future(ledger.claim([claim("new")]))
    for _ in range(10):
        await asyncio.sleep(0)
    claimed_meanwhile = claiming.done()
    answers.set()
    await until(lambda: ledger.is_whole, "mended")
    assert claimed_meanwhile
    assert [entry.claim.job_id for entry in ledger.interrupted()] == ["running"]
    rows = raw(tmp_path, "SELECT job_id, result FROM claims ORDER BY job_id")
    assert rows == [("new", None), ("running", None), ("waiting", b"result")]
    await ledger.close()


async def test_an_interrupted_job_that_the_engine_has_handed_out_again_is_not_reported_as_interrupted(
    tmp_path: Path, refusing: Refusing
) -> None:
    """It runs; a failure from the past would contradict its result (I8)."""
    ledger = await opened_without_its_file(tmp_path, refusing)
    (number,) = await ledger.claim([claim("running")])
    refusing.refuses = False
    await until(lambda: ledger.is_whole, "mended")
    assert ledger.interrupted() == []
    await ledger.store_result(number, b"done")
    await ledger.close()
    rows = raw(tmp_path, "SELECT job_id, result FROM claims ORDER BY job_id")
    assert rows == [("running", b"done"), ("waiting", b"result")]


async def test_a_dead_letter_that_is_revived_by_another_process_is_found(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    first, second, waiting = await ledger.claim([claim("a"), claim("b"), claim("c")])
    for number in (first, second, waiting):
        await ledger.store_result(number, b"r%d" % number)
    for number in (first, second):
        await ledger.mark_dead(number, "refused")
    found = asyncio.Event()

    async def listen() -> None:
        found.set()

    ledger.on_found = listen
    assert outside.requeue(tmp_path / FILE, [first]) == 1
    async with asyncio.timeout(PATIENCE_SECONDS):
        await found.wait()
    assert [result.number for result in ledger.undelivered()] == [first, waiting]
    assert ledger.result(first) == StoredResult(first, "a", b"r%d" % first, earlier=True)
    assert outside.drop(tmp_path / FILE, [second, waiting]) == 1  # what is no dead letter stays
    await until(lambda: "b" not in ledger.known_job_ids(), "the drop is noticed")
    await ledger.close()
    assert raw(tmp_path, "SELECT job_id, dead_reason FROM claims ORDER BY number") == [
        ("a", None),
        ("c", None),
    ]


async def test_a_change_by_hand_while_a_row_is_written_is_noticed_later(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=QUICKLY)
    dead, other = await ledger.claim([claim("dead"), claim("other")])
    await ledger.store_result(dead, b"r")
    await ledger.mark_dead(dead, "refused")
    row = ledger._claims._rows[dead]
    row.saved = 0  # as while it is on its way to the disk
    outside.requeue(tmp_path / FILE, [dead])
    await asyncio.sleep(LOOK_EVERY_SECONDS * 1.2)
    assert ledger.result(dead) is not None
    assert ledger.undelivered() == []
    row.saved = row.version
    await until(lambda: ledger.undelivered() != [], "the revival is seen at a later look")
    ledger.forget(other)
    await ledger.close()


async def test_open_claims_that_somebody_deletes_are_written_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await Ledger.open(tmp_path)
    await ledger.claim([claim("a")])
    raw(tmp_path, "DELETE FROM claims")
    await until(lambda: raw(tmp_path, "SELECT job_id FROM claims") == [("a",)], "written again")
    await until(lambda: told(caplog, JournalRewritten) == [{"claims": 1}], "and told, when the disk has them")
    await ledger.close()
