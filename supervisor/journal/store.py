"""The journal's one writer: a thread that puts whatever is waiting into one transaction."""

import asyncio
import contextlib
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from supervisor.errors import StateDirectoryError
from supervisor.journal.records import Claim, StoredResult
from supervisor.journal.schema import open_database

T = TypeVar("T")
_Operation = tuple[Callable[[sqlite3.Connection], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class Journal:
    """Claims, results and facts. Each method returns when what it did is on the disk.

    Raises `sqlite3.Error` when the disk does not take it: the caller goes on without, and says so.
    """

    def __init__(self, directory: Path) -> None:
        self._lock = _take_directory(directory)
        try:
            self._database = open_database(directory / "journal.sqlite3")
        except BaseException:
            os.close(self._lock)
            raise
        (key,) = self._database.execute("SELECT value FROM facts WHERE name = 'digest_key'").fetchone()
        self.digest_key: bytes = bytes.fromhex(key)
        self._operations: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_for_ever, name="journal", daemon=True)
        self._thread.start()

    async def claim(self, claims: Sequence[Claim]) -> list[int]:
        """Record claimed jobs in one transaction and return their numbers."""

        def write(database: sqlite3.Connection) -> list[int]:
            numbers: list[int] = []
            for claim in claims:
                cursor = database.execute(
                    "INSERT INTO claims (job_id, block_id, worker_uuid, claimed_at, digest) VALUES (?, ?, ?, ?, ?)",
                    (claim.job_id, claim.block_id, claim.worker_uuid, claim.claimed_at, claim.digest),
                )
                assert cursor.lastrowid is not None
                numbers.append(cursor.lastrowid)
            return numbers

        return await self._do(write)

    async def store_result(self, number: int, text: bytes) -> None:
        """Record the result of a claim. The first one stays: a result is never contradicted (I8)."""
        statement = "UPDATE claims SET result = ? WHERE number = ? AND result IS NULL"
        await self._do(lambda database: database.execute(statement, (text, number)) and None)

    async def forget(self, number: int) -> None:
        """Remove a claim whose result the engine has."""
        await self._do(
            lambda database: database.execute("DELETE FROM claims WHERE number = ?", (number,)) and None
        )

    async def bury(self, number: int, reason: str) -> None:
        """Keep a result that the engine will never take, with the reason, for a person to look at."""
        statement = "UPDATE claims SET dead_reason = ? WHERE number = ?"
        await self._do(lambda database: database.execute(statement, (reason, number)) and None)

    async def undelivered(self) -> list[StoredResult]:
        """Return results that the engine does not have yet, oldest first."""
        query = (
            "SELECT number, job_id, result FROM claims "
            "WHERE result NOT NULL AND dead_reason IS NULL ORDER BY number"
        )
        return await self._do(lambda database: [StoredResult(*row) for row in database.execute(query)])

    async def interrupted(self) -> list[tuple[int, str, str]]:
        """Return number, job id and block id of claims without a result, oldest first."""
        query = "SELECT number, job_id, block_id FROM claims WHERE result IS NULL ORDER BY number"
        return await self._do(lambda database: list(database.execute(query)))

    async def fact(self, name: str) -> str | None:
        """Return a remembered fact, such as this worker's uuid."""
        query = "SELECT value FROM facts WHERE name = ?"
        row = await self._do(lambda database: database.execute(query, (name,)).fetchone())
        return None if row is None else str(row[0])

    async def remember(self, name: str, value: str) -> None:
        """Remember a fact."""
        statement = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        await self._do(lambda database: database.execute(statement, (name, value)) and None)

    async def _do(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._operations.put((operation, done, loop))
        return await done

    def _write_for_ever(self) -> None:
        while (first := self._operations.get()) is not None:
            batch = [first]
            with contextlib.suppress(queue.Empty):
                while (more := self._operations.get_nowait()) is not None:
                    batch.append(more)
                self._operations.put(None)  # the end was in the queue: keep it for the next round
            self._write(batch)

    def _write(self, batch: list[_Operation]) -> None:
        """One transaction for all that waited. If it fails, each is tried alone, so that one takes no other along."""
        results: list[tuple[_Operation, Any]] = []
        try:
            self._database.execute("BEGIN IMMEDIATE")
            results.extend((item, item[0](self._database)) for item in batch)
            self._database.execute("COMMIT")
        except Exception as error:  # whatever it is, the caller waits for it, and the thread must go on
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            if len(batch) == 1:
                _settle(batch[0], error=error)
            else:
                for item in batch:
                    self._write([item])
            return
        for item, result in results:
            _settle(item, result)

    def close(self) -> None:
        """Write what waits, close the file, and let another supervisor have the directory."""
        self._operations.put(None)
        self._thread.join()
        self._database.close()
        os.close(self._lock)


def _settle(item: _Operation, result: Any = None, *, error: BaseException | None = None) -> None:
    _, done, loop = item

    def settle() -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    # The loop is closed only when nobody waits for anything any more.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)


def _take_directory(directory: Path) -> int:
    """Make the state directory ours alone for as long as this process lives. Returns the lock's descriptor."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateDirectoryError(
            f"The state directory {directory} can't be used: {error.strerror}. Give another --state-dir."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StateDirectoryError(
            f"The state directory {directory} is in use by another supervisor. "
            "Give each supervisor of a machine its own --state-dir."
        ) from error
    return lock
