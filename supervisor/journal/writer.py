"""The journal's one writer: a thread that puts everything that waits into one transaction."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from supervisor.journal.maintenance import Maintenance
from supervisor.journal.schema import open_database
from supervisor.process.disk_thread import settle

T = TypeVar("T")


def unheard(error: BaseException | None) -> None:
    """Ignore the result."""
    del error


@dataclass(frozen=True, slots=True)
class _Order:
    operation: Callable[..., Any]
    done: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    alone: bool
    synced: bool
    one_statement: bool
    settled: Callable[[BaseException | None], None]
    ended: Callable[[BaseException | None], None]


class Writer:
    """Carries out orders in the order in which they come. Between them it does `maintenance`."""

    def __init__(self, path: Path, maintenance: Maintenance) -> None:
        self.database: sqlite3.Connection | None = None
        """For this thread only."""
        self._path = path
        self._maintenance = maintenance
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._held: list[_Order | None] = []
        self._is_synced = True
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def write(
        self,
        operation: Callable[[sqlite3.Connection], T],
        settled: Callable[[BaseException | None], None] = unheard,
        *,
        synced: bool = True,
        one_statement: bool = False,
        ended: Callable[[BaseException | None], None] = unheard,
    ) -> "asyncio.Future[T]":
        """Do `operation` in a transaction that it may share with others.

        The future ends when the data is on the disk, or with the exception. `settled` is called on the loop just
        before that, in the order of the writes, even if nobody waits for the future any more: that cancels nothing.
        `ended` is called in the thread, before anybody hears of this write or of a later one. It must not raise.
        `one_statement`: the statement is a transaction by itself, with one call instead of three. Each call releases
        the GIL, and must wait until the loop releases it again.
        Data that need not be `synced` survives the end of this process at once, and the end of the machine only after
        something else is written.
        """
        return self._put(operation, settled, ended, alone=False, synced=synced, one_statement=one_statement)

    def call(self, operation: Callable[[], T]) -> "asyncio.Future[T]":
        """Do `operation` in the thread, outside of any transaction."""
        return self._put(operation, unheard, unheard, alone=True)

    def _put(
        self,
        operation: Callable[..., Any],
        settled: Callable[[BaseException | None], None],
        ended: Callable[[BaseException | None], None],
        *,
        alone: bool,
        synced: bool = True,
        one_statement: bool = False,
    ) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._orders.put(_Order(operation, done, loop, alone, synced, one_statement, settled, ended))
        return done

    def open(self) -> sqlite3.Connection:
        """Open the file, again if it is open. Call it in the thread."""
        self.shut()
        self.database = open_database(self._path)
        self._is_synced = True
        self._maintenance.opened(self.database)
        return self.database

    def shut(self) -> None:
        """Close the file. Call it in the thread."""
        if self.database is not None:
            database, self.database = self.database, None
            with contextlib.suppress(sqlite3.Error):
                database.close()

    def close(self, timeout_seconds: float) -> bool:
        """Do what waits, then end the thread. Returns whether it ended: a disk that hangs is left alone."""
        self._orders.put(None)
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            try:
                first = (
                    self._held.pop()
                    if self._held
                    else self._orders.get(timeout=self._maintenance.pause_seconds)
                )
            except queue.Empty:
                self._maintenance.do(self.database, idle=True)
                continue
            if first is None:
                self.shut()
                return
            if first.alone:
                self._do_alone(first)
            else:
                self._write(self._gather(first))
                if self.database is not None and not self._is_synced:
                    with contextlib.suppress(
                        sqlite3.Error
                    ):  # otherwise the next one that must be synced tries it
                        self._sync(self.database, is_wanted=True)
                self._maintenance.do(self.database, idle=False)

    def _gather(self, first: _Order) -> list[_Order]:
        batch = [first]
        with contextlib.suppress(queue.Empty):
            while (more := self._orders.get_nowait()) is not None and not more.alone:
                batch.append(more)
            self._held.append(more)  # not for this transaction: it comes next
        return batch

    def _do_alone(self, order: _Order) -> None:
        try:
            result = order.operation()
        except Exception as error:  # whatever it is, the caller waits for it
            _settle([_Settled(order, error=error)])
        else:
            _settle([_Settled(order, result)])

    def _write(self, batch: list[_Order]) -> None:
        """Write all that waited in one transaction. If it fails, try each alone, so that one does not harm others."""
        results: list[Any] = []
        database = self.database
        began = False
        try:
            if database is None:
                raise OSError("the file is not open")  # noqa: TRY301  # handled as all others
            self._sync(database, is_wanted=any(order.synced for order in batch))
            if len(batch) == 1 and batch[0].one_statement:
                results.append(batch[0].operation(database))
            else:
                database.execute("BEGIN IMMEDIATE")
                began = True
                results.extend(order.operation(database) for order in batch)
                database.execute("COMMIT")
        except Exception as error:  # whatever it is, the callers wait for it, and the thread must go on
            if database is not None and database.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
            # If a transaction can't even begin, each alone would only wait as long again.
            if began and len(batch) > 1:
                for order in batch:
                    self._write([order])
                return
            for order in batch:
                order.ended(error)
            _settle([_Settled(order, error=error) for order in batch])
            return
        for order in batch:
            order.ended(None)
        _settle(list(map(_Settled, batch, results)))

    def _sync(self, database: sqlite3.Connection, *, is_wanted: bool) -> None:
        """Sync transactions to the disk, or only give them to the kernel: in WAL mode, both are consistent."""
        if is_wanted is not self._is_synced:
            database.execute(f"PRAGMA synchronous = {'FULL' if is_wanted else 'NORMAL'}")
            self._is_synced = is_wanted


@dataclass(frozen=True, slots=True)
class _Settled:
    """The end of an order."""

    order: _Order
    result: Any = None
    error: BaseException | None = None


def _settle(batch: Sequence[_Settled]) -> None:
    """Report the ends of a transaction's orders to the loop. It is woken once for all of them."""

    def told() -> None:
        for one in batch:
            one.order.settled(one.error)
            settle(one.order.done, one.result, one.error)

    # The loop is closed only when nobody waits any more.
    with contextlib.suppress(RuntimeError):
        batch[0].order.loop.call_soon_threadsafe(told)
