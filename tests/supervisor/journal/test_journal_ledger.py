"""What the ledger keeps, and in which order it gives it back."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from supervisor.journal import Claim, Ledger, StoredResult
from supervisor.journal.records import digest_of
from supervisor.log.events.worker import TaskFailed
from tests.patience import PATIENCE_SECONDS


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(tmp_path / "state")
    yield ledger
    await ledger.close()


def claim(job_id: str) -> Claim:
    return Claim(job_id, "p/b:1.0.0", "w-1", 1.5, "d")


async def numbers_of(ledger: Ledger, *job_ids: str) -> list[int]:
    return await ledger.claim([claim(job_id) for job_id in job_ids])


def interrupted(ledger: Ledger) -> list[tuple[int, str]]:
    return [(entry.number, entry.claim.job_id) for entry in ledger.interrupted()]


def texts(ledger: Ledger) -> list[bytes]:
    return [result.text for result in ledger.undelivered()]


async def reopened(ledger: Ledger, directory: Path) -> Ledger:
    await ledger.close()
    return await Ledger.open(directory)


async def test_a_claim_without_a_result_is_interrupted_work_of_the_next_run_only(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    first, second = await numbers_of(ledger, "a", "b")
    await ledger.store_result(second, b"{}")
    assert interrupted(ledger) == []  # it runs
    again = await reopened(ledger, tmp_path)
    assert interrupted(again) == [(first, "a")]
    await again.close()


async def test_a_result_waits_until_it_is_forgotten(ledger: Ledger, tmp_path: Path) -> None:
    (number,) = await numbers_of(ledger, "a")
    await ledger.store_result(number, b'{"x": "\xc3\xa4"}')
    assert ledger.undelivered() == [StoredResult(number, "a", b'{"x": "\xc3\xa4"}')]
    assert ledger.result(number) == StoredResult(number, "a", b'{"x": "\xc3\xa4"}')
    ledger.forget(number)
    assert (ledger.undelivered(), ledger.result(number)) == ([], None)
    await ledger.remember("name", "value")
    with sqlite3.connect(tmp_path / "state" / "journal.sqlite3") as other:
        assert other.execute("SELECT count(*) FROM claims").fetchall() == [(0,)]
    other.close()


async def test_the_first_result_stays(ledger: Ledger) -> None:
    (number,) = await numbers_of(ledger, "a")
    await ledger.store_result(number, b"first")
    await ledger.store_result(number, b"second")
    assert texts(ledger) == [b"first"]


async def test_results_are_given_back_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    numbers = await numbers_of(ledger, "a", "b", "c")
    for number in reversed(numbers):
        await ledger.store_result(number, b"r")
    assert [result.job_id for result in ledger.undelivered()] == ["c", "b", "a"]
    again = await reopened(ledger, tmp_path)
    assert [result.job_id for result in again.undelivered()] == ["c", "b", "a"]
    await again.close()


async def test_a_job_that_comes_again_is_another_claim(ledger: Ledger) -> None:
    (first,) = await numbers_of(ledger, "a")
    (second,) = await numbers_of(ledger, "a")
    await ledger.store_result(first, b"r")
    assert first != second
    assert ledger.result(second) is None


async def test_the_number_of_a_claim_is_not_used_again(tmp_path: Path) -> None:
    """A late delivery of an old result must not touch a new claim."""
    ledger = await Ledger.open(tmp_path)
    (first,) = await numbers_of(ledger, "a")
    ledger.forget(first)
    (second,) = await numbers_of(ledger, "b")
    ledger.forget(second)
    again = await reopened(ledger, tmp_path)
    (third,) = await numbers_of(again, "c")
    assert first < second < third
    await again.close()


async def test_a_result_that_nobody_takes_is_kept_out_of_the_way_with_its_reason(
    ledger: Ledger, tmp_path: Path
) -> None:
    (number,) = await numbers_of(ledger, "a")
    await ledger.store_result(number, b"r")
    await ledger.mark_dead(number, "HTTP 422: no such job")
    assert ledger.undelivered() == []
    with sqlite3.connect(tmp_path / "state" / "journal.sqlite3") as other:
        rows = other.execute("SELECT result, dead_reason FROM claims").fetchall()
    other.close()
    assert rows == [(b"r", "HTTP 422: no such job")]
    again = await reopened(ledger, tmp_path / "state")
    assert (again.undelivered(), again.interrupted()) == ([], [])
    assert again.known_job_ids() == {"a"}
    await again.close()


async def test_the_jobs_whose_result_the_engine_does_not_have_are_known(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    _, waiting, dead, delivered = await numbers_of(ledger, "running", "waiting", "dead", "delivered")
    for number in (waiting, dead, delivered):
        await ledger.store_result(number, b"r")
    await ledger.mark_dead(dead, "no")
    ledger.forget(delivered)
    assert ledger.known_job_ids() == {"running", "waiting", "dead"}
    again = await reopened(ledger, tmp_path)
    assert again.known_job_ids() == {"running", "waiting", "dead"}
    await again.close()


async def test_facts_are_remembered_and_replaced(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    assert await ledger.fact("worker_uuid") is None
    await ledger.remember("worker_uuid", "one")
    await ledger.remember("worker_uuid", "two")
    assert await ledger.fact("worker_uuid") == "two"
    again = await reopened(ledger, tmp_path)
    assert await again.fact("worker_uuid") == "two"
    assert again.digest_key == ledger.digest_key
    await again.close()


async def test_a_result_of_an_earlier_run_may_have_been_sent_by_it(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    (number,) = await numbers_of(ledger, "a")
    await ledger.store_result(number, b"r")
    again = await reopened(ledger, tmp_path)
    assert again.undelivered() == [StoredResult(number, "a", b"r", earlier=True)]
    await again.close()


async def test_what_waits_together_is_committed_together(ledger: Ledger, tmp_path: Path) -> None:
    """One sync for many jobs: a commit each would be the limit of a busy worker."""
    database = tmp_path / "state" / "journal.sqlite3"
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    # The first of these is in the writer's hands and waits for the holder; the others queue up behind it.
    writes = [asyncio.ensure_future(numbers_of(ledger, f"j{number}")) for number in range(50)]
    await asyncio.sleep(0)
    frames_before = frames(database)
    holder.execute("ROLLBACK")
    holder.close()
    numbers = [number for (number,) in await asyncio.gather(*writes)]
    assert sorted(numbers) == numbers
    assert len(set(numbers)) == 50
    assert frames(database) - frames_before < 25


def frames(database: Path) -> int:
    """How many pages the write-ahead log holds: each commit adds at least one (SQLite file format, section 4)."""
    size = database.with_name(database.name + "-wal").stat().st_size
    return max(0, size - 32) // (4096 + 24)


async def test_one_write_that_fails_takes_no_other_along(tmp_path: Path) -> None:
    """Also not those that were claimed with it. What can't be stored stays in memory."""
    ledger = await Ledger.open(tmp_path, mend_seconds=0.01)
    impossible = Claim("bad", "p/b:1.0.0", "w-1", "not a number", "d")  # type: ignore[arg-type]  # STRICT refuses it
    await asyncio.gather(
        numbers_of(ledger, "a"), ledger.claim([claim("c"), impossible]), numbers_of(ledger, "b")
    )
    assert ledger.known_job_ids() == {"a", "b", "c", "bad"}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not ledger.is_whole:
            await asyncio.sleep(0.01)
    again = await reopened(ledger, tmp_path)
    assert [job_id for _, job_id in interrupted(again)] == ["a", "c", "b"]
    await again.close()


async def test_a_caller_that_gives_up_does_not_harm_the_writer(ledger: Ledger) -> None:
    writing = asyncio.ensure_future(numbers_of(ledger, "a"))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert len(await numbers_of(ledger, "b")) == 1
    assert ledger.known_job_ids() == {"a", "b"}


async def test_a_bug_in_what_is_done_with_what_was_found_is_said(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    bug = ZeroDivisionError("in what listens")

    async def listen() -> None:
        raise bug

    ledger.on_found = listen
    ledger._tell_found()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not caplog.records:
            await asyncio.sleep(0)
    (record,) = caplog.records
    assert (record.event, record.levelname) == (TaskFailed.name, "CRITICAL")
    assert record.exc_info is not None
    assert record.exc_info[1] is bug


async def test_closing_ends_what_is_done_with_what_was_found_and_complains_of_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    ledger = await Ledger.open(tmp_path)
    ended = asyncio.Event()

    async def listen() -> None:
        try:
            await asyncio.sleep(PATIENCE_SECONDS)
        finally:
            ended.set()

    ledger.on_found = listen
    ledger._tell_found()
    await asyncio.sleep(0)
    await ledger.close()
    assert ended.is_set()
    assert (complaints, caplog.records) == ([], [])


async def test_closing_writes_what_waits(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    writes = [asyncio.ensure_future(numbers_of(ledger, f"j{number}")) for number in range(20)]
    await asyncio.sleep(0)
    await ledger.close()
    await asyncio.gather(*writes)
    again = await Ledger.open(tmp_path)
    assert len(again.interrupted()) == 20
    await again.close()


def test_a_digest_tells_equal_parameters_from_others_and_nothing_else() -> None:
    key = bytes(32)
    digest = digest_of({"a": 1, "password": "hunter2"}, key)
    assert digest == digest_of({"password": "hunter2", "a": 1}, key)
    assert digest != digest_of({"password": "hunter3", "a": 1}, key)
    assert digest != digest_of({"password": "hunter2", "a": 1}, bytes(31) + b"\1")
    assert "hunter2" not in digest


async def test_a_result_that_came_as_foreseen_is_written_once_and_awaited(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    (same, other) = await numbers_of(ledger, "same", "other")
    writer, go_on, statements = ledger._durable_copy.journal._writer, threading.Event(), list[str]()
    database = writer.database
    assert database is not None
    await writer.call(lambda: database.set_trace_callback(statements.append))
    held = writer.call(lambda: go_on.wait(60))
    ledger.foresee_result(same, b"foreseen")
    storing = asyncio.ensure_future(ledger.store_result(same, b"foreseen"))
    await asyncio.sleep(0.01)
    assert not storing.done()
    go_on.set()
    await asyncio.gather(held, storing)
    assert len([each for each in statements if "INTO claims" in each]) == 1
    ledger.foresee_result(other, b"foreseen")
    await ledger.store_result(other, b"final")
    await ledger.store_result(other, b"later")
    assert texts(ledger) == [b"foreseen", b"final"]
    again = await reopened(ledger, tmp_path)
    assert texts(again) == [b"foreseen", b"final"]
    await again.close()


async def test_a_worker_that_ends_before_it_was_final_leaves_what_was_foreseen_as_the_result(
    tmp_path: Path,
) -> None:
    """What the block returned stands, whatever is seen of its end (docs/adr/0046)."""
    ledger = await Ledger.open(tmp_path)
    (number,) = await numbers_of(ledger, "a")
    ledger.foresee_result(number, b"foreseen")
    assert (ledger.undelivered(), ledger.interrupted()) == ([], [])
    again = await reopened(ledger, tmp_path)
    assert texts(again) == [b"foreseen"]
    assert again.interrupted() == []
    await again.close()
