"""A journal without a file: each write ends when and how a test says. For a clock that jumps."""

import asyncio
import errno
import logging
import os
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from journal_support import claim

from supervisor.journal.claims import Claims
from supervisor.journal.durable_copy import MEND_SECONDS, DurableCopy
from supervisor.journal.records import Entry
from supervisor.journal.rows import Loaded
from tests.simulated_time import simulate

Settled = Callable[[BaseException | None], None]
PATH = Path("/state/journal.sqlite3")
ASIDE = Path("/state/journal.sqlite3.corrupt")
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
BROKEN = OSError(errno.EIO, os.strerror(errno.EIO))
DENIED = OSError(errno.EACCES, os.strerror(errno.EACCES))
DAMAGED = sqlite3.DatabaseError("file is not a database")
DAMAGED.sqlite_errorcode = sqlite3.SQLITE_NOTADB
BUG = sqlite3.IntegrityError("datatype mismatch")
EARLIER = Loaded(
    entries=[Entry(3, claim("earlier"), b"{}", 1.0), Entry(5, claim("running"))],
    facts={"worker_uuid": "w-1"},
    highest=9,
)


def _unheard(_: BaseException | None) -> None:
    pass


class Disk:
    """Stands for `Journal`. `done` is what was asked of it, with the time of each."""

    def __init__(self) -> None:
        self.path = PATH
        self.holds = Loaded()
        self.salvaged = Loaded()
        self.error: BaseException | None = None
        """How a write ends from now on."""
        self.open_error: BaseException | None = None
        self.hangs = False
        self.hangs_at_opening = False
        self.done: list[tuple[Any, ...]] = []
        self.times: list[float] = []
        self._pending: list[tuple[asyncio.Future[Any], Settled]] = []

    def asked(self, kind: str) -> list[tuple[Any, ...]]:
        return [what[1:] for what in self.done if what[0] == kind]

    def _ask(self, *what: Any) -> None:
        self.done.append(what)
        self.times.append(asyncio.get_running_loop().time())

    def open(self, dead_bytes: float) -> "asyncio.Future[Loaded]":
        del dead_bytes  # there are no dead letters of an earlier run
        self._ask("open")
        future = asyncio.get_running_loop().create_future()
        if not self.hangs_at_opening:
            self._end(future, _unheard, self.open_error, self.holds)
        return future

    def move_aside(self) -> "asyncio.Future[tuple[Path, Loaded]]":
        self._ask("move aside")
        self.open_error = self.error = None
        self.holds = Loaded()
        future = asyncio.get_running_loop().create_future()
        self._end(future, _unheard, None, (ASIDE, self.salvaged))
        return future

    def save(self, entries: list[Entry], settled: Settled = _unheard) -> "asyncio.Future[None]":
        self._ask("save", *((entry.number, entry.claim.job_id) for entry in entries))
        return self._write(settled)

    def remove(
        self, entry: Entry, settled: Settled = _unheard, *, is_over: bool = False
    ) -> "asyncio.Future[None]":
        del is_over
        self._ask("remove", entry.number)
        return self._write(settled)

    def save_fact(self, name: str, value: str, settled: Settled = _unheard) -> "asyncio.Future[None]":
        self._ask("fact", name, value)
        return self._write(settled)

    def name_accepted(self, entry: Entry) -> "asyncio.Future[None]":
        self._ask("name", entry.number)
        return self._write(_unheard)

    def look_again(self) -> None:
        """Nobody else changes this file."""

    def _write(self, settled: Settled) -> "asyncio.Future[None]":
        future = asyncio.get_running_loop().create_future()
        if self.hangs:
            self._pending.append((future, settled))
        else:
            self._end(future, settled, self.error, None)
        return future

    def answer(self, error: BaseException | None = None) -> None:
        """End all writes that hang."""
        self.hangs = False
        pending, self._pending = self._pending, []
        for future, settled in pending:
            self._end(future, settled, error, None)

    def _end(
        self, future: "asyncio.Future[Any]", settled: Settled, error: BaseException | None, result: Any
    ) -> None:
        def end() -> None:
            settled(error)
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        asyncio.get_running_loop().call_soon(end)


class Desk:
    """A copy on a played disk, its book, and how often something was found."""

    def __init__(self, mend_seconds: float = MEND_SECONDS) -> None:
        self.disk = Disk()
        self.claims = Claims()
        self.found = 0
        self.copy = DurableCopy(self.claims, mend_seconds, self._on_found)

    def _on_found(self) -> None:
        self.found += 1

    async def begin(self) -> None:
        await self.copy.begin(self.disk)  # type: ignore[arg-type]  # in so far as it is used


def on_disk(steps: Coroutine[Any, Any, None]) -> None:
    """Carry a test out with a clock that jumps, and see that nothing was raised where nobody looks."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await steps

    simulate(watched())
    assert complaints == []


def said(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    """The sentences from a level on, where the words themselves matter; else see `told` of `tests.log_events`."""
    return [record.getMessage() for record in caplog.records if record.levelno >= level]
