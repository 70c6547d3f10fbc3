"""What the journal keeps, and in which order it gives it back."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.journal import Claim, Journal, StoredResult
from supervisor.journal.records import digest_of


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "state")
    yield journal
    journal.close()


def claim(job_id: str) -> Claim:
    return Claim(job_id, "p/b:1.0.0", "w-1", 1.5, "d")


async def numbers_of(journal: Journal, *job_ids: str) -> list[int]:
    return await journal.claim([claim(job_id) for job_id in job_ids])


async def test_a_claim_without_a_result_is_interrupted_work(journal: Journal) -> None:
    first, second = await numbers_of(journal, "a", "b")
    await journal.store_result(second, b"{}")
    assert await journal.interrupted() == [(first, "a", "p/b:1.0.0")]


async def test_a_result_waits_until_it_is_forgotten(journal: Journal) -> None:
    (number,) = await numbers_of(journal, "a")
    await journal.store_result(number, b'{"x": "\xc3\xa4"}')
    assert await journal.undelivered() == [StoredResult(number, "a", b'{"x": "\xc3\xa4"}')]
    await journal.forget(number)
    assert await journal.undelivered() == []
    assert await journal.interrupted() == []


async def test_the_first_result_stays(journal: Journal) -> None:
    (number,) = await numbers_of(journal, "a")
    await journal.store_result(number, b"first")
    await journal.store_result(number, b"second")
    assert [result.text for result in await journal.undelivered()] == [b"first"]


async def test_results_are_given_back_in_the_order_of_their_claims(journal: Journal) -> None:
    numbers = await numbers_of(journal, "a", "b", "c")
    for number in reversed(numbers):
        await journal.store_result(number, b"r")
    assert [result.job_id for result in await journal.undelivered()] == ["a", "b", "c"]


async def test_a_job_that_comes_again_is_another_claim(journal: Journal) -> None:
    (first,) = await numbers_of(journal, "a")
    (second,) = await numbers_of(journal, "a")
    await journal.store_result(first, b"r")
    assert first != second
    assert [number for number, *_ in await journal.interrupted()] == [second]


async def test_the_number_of_a_claim_is_not_used_again(journal: Journal) -> None:
    """A late delivery of an old result must not touch a new claim."""
    (first,) = await numbers_of(journal, "a")
    await journal.forget(first)
    assert await numbers_of(journal, "b") > [first]


async def test_a_result_that_nobody_takes_is_kept_out_of_the_way_with_its_reason(
    journal: Journal, tmp_path: Path
) -> None:
    (number,) = await numbers_of(journal, "a")
    await journal.store_result(number, b"r")
    await journal.bury(number, "HTTP 422: no such job")
    assert await journal.undelivered() == []
    assert await journal.interrupted() == []
    with sqlite3.connect(tmp_path / "state" / "journal.sqlite3") as other:
        rows = other.execute("SELECT result, dead_reason FROM claims").fetchall()
    other.close()
    assert rows == [(b"r", "HTTP 422: no such job")]


async def test_facts_are_remembered_and_replaced(journal: Journal) -> None:
    assert await journal.fact("worker_uuid") is None
    await journal.remember("worker_uuid", "one")
    await journal.remember("worker_uuid", "two")
    assert await journal.fact("worker_uuid") == "two"


async def test_everything_is_there_after_the_next_start(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    (number,) = await numbers_of(first, "a")
    await first.store_result(number, b"r")
    await first.remember("worker_uuid", "one")
    first.close()
    second = Journal(tmp_path)
    assert await second.undelivered() == [StoredResult(number, "a", b"r")]
    assert await second.fact("worker_uuid") == "one"
    assert second.digest_key == first.digest_key
    second.close()


async def test_what_waits_together_is_committed_together(journal: Journal, tmp_path: Path) -> None:
    """One sync for many jobs: a commit each would be the limit of a busy worker."""
    database = tmp_path / "state" / "journal.sqlite3"
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    # The first of these is in the writer's hands and waits for the holder; the others queue up behind it.
    writes = [asyncio.ensure_future(numbers_of(journal, f"j{number}")) for number in range(50)]
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


async def test_one_write_that_fails_takes_no_other_along(journal: Journal) -> None:
    impossible = Claim("bad", "p/b:1.0.0", "w-1", "not a number", "d")  # type: ignore[arg-type]  # STRICT refuses it
    results = await asyncio.gather(
        numbers_of(journal, "a"),
        journal.claim([claim("c"), impossible]),
        numbers_of(journal, "b"),
        return_exceptions=True,
    )
    assert isinstance(results[1], sqlite3.Error)
    assert [job_id for _, job_id, _ in await journal.interrupted()] == ["a", "b"]


async def test_a_caller_that_gives_up_does_not_harm_the_writer(journal: Journal) -> None:
    writing = asyncio.ensure_future(numbers_of(journal, "a"))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert len(await numbers_of(journal, "b")) == 1


async def test_closing_writes_what_waits(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    writes = [asyncio.ensure_future(numbers_of(journal, f"j{number}")) for number in range(20)]
    await asyncio.sleep(0)
    journal.close()
    await asyncio.gather(*writes)
    again = Journal(tmp_path)
    assert len(await again.interrupted()) == 20
    again.close()


def test_a_digest_tells_equal_parameters_from_others_and_nothing_else() -> None:
    key = bytes(32)
    digest = digest_of({"a": 1, "password": "hunter2"}, key)
    assert digest == digest_of({"password": "hunter2", "a": 1}, key)
    assert digest != digest_of({"password": "hunter3", "a": 1}, key)
    assert digest != digest_of({"password": "hunter2", "a": 1}, bytes(31) + b"\1")
    assert "hunter2" not in digest
