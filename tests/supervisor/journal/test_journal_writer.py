"""The journal's writer: what shares a transaction, what never does, and in which order all is done."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from journal_support import FILE

from supervisor.journal.maintenance import Maintenance
from supervisor.journal.schema import open_database
from supervisor.journal.writer import Writer
from tests.patience import until


class Recorder:
    """A writer whose statements are recorded, and which can be held up while orders pile up before it."""

    def __init__(self, path: Path) -> None:
        self.statements: list[str] = []
        self.lost: list[str] = []
        self.writer = Writer(path, Maintenance(path, lambda seen: None, lambda: self.lost.append("lost")))
        self._path = path
        self.go_on = threading.Event()

    async def open(self) -> None:
        await self.writer.call(lambda: self.writer.open().execute("CREATE TABLE words (word TEXT UNIQUE)"))
        await self.writer.call(lambda: self._database.set_trace_callback(self.statements.append))

    @property
    def _database(self) -> sqlite3.Connection:
        assert self.writer.database is not None
        return self.writer.database

    def hold_up(self) -> "asyncio.Future[bool]":
        return self.writer.call(lambda: self.go_on.wait(30))

    def insert(self, word: str, **how: bool) -> "asyncio.Future[object]":
        return self.writer.write(
            lambda database: database.execute("INSERT INTO words VALUES (?)", (word,)), **how
        )

    def is_in_transaction(self) -> bool:
        return self._database.in_transaction

    def take_away(self) -> None:
        self._path.unlink()

    def words(self) -> list[str]:
        database = open_database(self._path)
        try:
            return [word for (word,) in database.execute("SELECT word FROM words ORDER BY rowid")]
        finally:
            database.close()

    def seen(self) -> list[str]:
        """Return the statements, each by its first word and what it inserts."""
        kept = [
            each for each in self.statements if each.split()[0] in ("BEGIN", "INSERT", "COMMIT", "ROLLBACK")
        ]
        return [each.split("'")[1] if "'" in each else each.split()[0] for each in kept]


@pytest_asyncio.fixture
async def recorder(tmp_path: Path) -> AsyncIterator[Recorder]:
    recorder = Recorder(tmp_path / FILE)
    await recorder.open()
    yield recorder
    recorder.go_on.set()
    assert await asyncio.to_thread(recorder.writer.close, 30)


async def test_the_chores_watch_the_file_that_is_open(recorder: Recorder) -> None:
    await recorder.insert("a")
    await recorder.insert("b")
    assert recorder.lost == []
    await recorder.writer.call(recorder.take_away)
    await recorder.insert("c")
    await until(lambda: recorder.lost == ["lost"], "it is noticed that the file is gone")


async def test_the_chores_of_a_writer_that_is_never_idle_are_done_too(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows a write waits in the queue here, so there is no pause between them."""
    done: list[bool] = []
    recorder.hold_up()
    monkeypatch.setattr(recorder.writer._maintenance, "do", lambda _, *, idle: done.append(idle))
    write = recorder.insert("a")
    after = recorder.writer.call(lambda: list(done))
    recorder.go_on.set()
    await write
    assert False in await after


async def test_writes_that_wait_share_one_transaction_in_their_order(recorder: Recorder) -> None:
    recorder.hold_up()
    writes = [recorder.insert(word) for word in "abc"]
    recorder.go_on.set()
    await asyncio.gather(*writes)
    assert recorder.seen() == ["BEGIN", "a", "b", "c", "COMMIT"]


async def test_the_loop_is_woken_once_for_all_that_shared_a_transaction(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    woken: list[Callable[[], None]] = []
    wake = loop.call_soon_threadsafe

    def counted(told: Callable[[], None]) -> asyncio.Handle:
        woken.append(told)
        return wake(told)

    held = recorder.hold_up()
    writes = [recorder.insert(word) for word in "abc"]
    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    recorder.go_on.set()
    await asyncio.gather(held, *writes)
    assert len(woken) == 2, "one for what held the writer up, one for the transaction"


async def test_what_is_to_be_done_alone_is_done_between_transactions_and_in_its_turn(
    recorder: Recorder,
) -> None:
    recorder.hold_up()
    first = recorder.insert("a")
    alone = recorder.writer.call(lambda: (recorder.seen(), recorder.is_in_transaction()))
    second = recorder.insert("b")
    recorder.go_on.set()
    await asyncio.gather(first, second)
    assert await alone == (["BEGIN", "a", "COMMIT"], False)
    assert recorder.seen() == ["BEGIN", "a", "COMMIT", "BEGIN", "b", "COMMIT"]


async def test_one_write_that_fails_takes_no_other_of_its_transaction_along(recorder: Recorder) -> None:
    recorder.hold_up()
    writes = [recorder.insert(word) for word in ("a", "a", "b")]
    recorder.go_on.set()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [isinstance(result, sqlite3.IntegrityError) for result in results] == [False, True, False]
    assert recorder.words() == ["a", "b"]


async def test_where_no_transaction_can_begin_the_waiting_writes_fail_together(recorder: Recorder) -> None:
    """Each alone would wait as long again for whoever holds the file."""
    await recorder.writer.call(recorder.writer.shut)
    recorder.hold_up()
    writes = [recorder.insert(word) for word in "ab"]
    recorder.go_on.set()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [str(result) for result in results] == ["the file is not open"] * 2
    assert results[0] is results[1]


async def test_how_writes_ended_is_told_in_their_order_also_where_nobody_waits(recorder: Recorder) -> None:
    told: list[str] = []
    recorder.hold_up()
    for word in ("a", "a", "b"):
        future = recorder.writer.write(
            lambda database, word=word: database.execute("INSERT INTO words VALUES (?)", (word,)),
            lambda error, word=word: told.append(f"{word} {type(error).__name__}"),
        )
        future.cancel()
    recorder.go_on.set()
    await until(lambda: len(told) == 3, "all writes are told of")
    assert told == ["a NoneType", "a IntegrityError", "b NoneType"]


async def test_what_fails_alone_is_told_to_whoever_waits_and_the_writer_goes_on(recorder: Recorder) -> None:
    def fail() -> None:
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        await recorder.writer.call(fail)
    await recorder.insert("a")
    assert recorder.words() == ["a"]


async def test_closing_does_first_what_waits(recorder: Recorder) -> None:
    recorder.hold_up()
    write = recorder.insert("a")
    closing = asyncio.ensure_future(asyncio.to_thread(recorder.writer.close, 30))
    recorder.go_on.set()
    assert await closing
    await write
    assert recorder.words() == ["a"]
    assert recorder.writer.database is None


async def test_closing_leaves_a_disk_that_hangs_alone(recorder: Recorder) -> None:
    recorder.hold_up()
    assert not await asyncio.to_thread(recorder.writer.close, 0.01)


async def test_only_a_transaction_of_what_need_not_be_synced_is_not_synced(recorder: Recorder) -> None:
    """FULL syncs it, as the file is opened; NORMAL leaves it to the kernel."""
    synced: list[tuple[str, int]] = []

    def insert(word: str, *, must_be: bool) -> "asyncio.Future[None]":
        def work(database: sqlite3.Connection) -> None:
            database.execute("INSERT INTO words VALUES (?)", (word,))
            synced.append((word, *database.execute("PRAGMA synchronous").fetchone()))

        return recorder.writer.write(work, synced=must_be)

    await insert("a", must_be=True)
    await insert("b", must_be=False)
    held = recorder.hold_up()
    together = [insert("c", must_be=False), insert("d", must_be=True), insert("e", must_be=False)]
    recorder.go_on.set()
    await asyncio.gather(held, *together)
    with pytest.raises(sqlite3.IntegrityError):
        await insert("a", must_be=False)
    await insert("f", must_be=True)
    assert synced == [("a", 2), ("b", 1), ("c", 2), ("d", 2), ("e", 2), ("f", 2)]
    assert recorder.words() == list("abcdef")


async def test_what_is_one_statement_is_a_transaction_by_itself_unless_it_shares_one(
    recorder: Recorder,
) -> None:
    await recorder.insert("a", one_statement=True)
    assert recorder.seen() == ["a"]
    held = recorder.hold_up()
    together = [recorder.insert("b", one_statement=True), recorder.insert("c", one_statement=True)]
    recorder.go_on.set()
    await asyncio.gather(held, *together)
    assert recorder.seen() == ["a", "BEGIN", "b", "c", "COMMIT"]
    with pytest.raises(sqlite3.IntegrityError):
        await recorder.insert("a", one_statement=True)
    assert not await recorder.writer.call(recorder.is_in_transaction)
    await recorder.insert("d")
    assert recorder.words() == ["a", "b", "c", "d"]


async def test_of_two_writes_the_one_that_fails_does_not_take_the_other_along(recorder: Recorder) -> None:
    await recorder.insert("a")
    recorder.hold_up()
    writes = [recorder.insert(word) for word in "ab"]
    recorder.go_on.set()
    failed, done = await asyncio.gather(*writes, return_exceptions=True)
    assert isinstance(failed, sqlite3.IntegrityError)
    assert not isinstance(done, BaseException)
    assert recorder.words() == ["a", "b"]
