"""The file as a durable copy of memory: each change is written to it, and written again if the disk failed."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from supervisor.errors import StateDirectoryError
from supervisor.journal.adoption import adopt, compare_with_file, tell_replaced
from supervisor.journal.claims import Claims
from supervisor.journal.dead_texts import MOST_BYTES
from supervisor.journal.disk_fault import DISK_ERRORS, PASSES_AT_START, PASSES_BY_ITSELF, DiskFault, fault_of
from supervisor.journal.records import Entry
from supervisor.journal.removals import Removals
from supervisor.journal.row import Row
from supervisor.journal.rows import Loaded
from supervisor.journal.saving import SAVED, Saving
from supervisor.journal.store import Journal
from supervisor.journal.trouble import JournalTrouble
from supervisor.journal.write_timeout import WriteTimeout
from supervisor.log.event import tell
from supervisor.log.events.results import JournalMetBug, ResultsLost
from supervisor.process.tasks import Tasks
from supervisor.process.time_limit import time_limit

_log = logging.getLogger(__name__)

WRITE_TIMEOUT_SECONDS: Final = 5.0
"""How long a job waits for a disk that does not answer. After that, no job waits for this disk any more."""

OPEN_SECONDS: Final = 60.0
MEND_SECONDS: Final = 2.0
REOPEN_AFTER_TRIES: Final = 3


class DurableCopy:
    """Writes the claims' rows, and facts, to the journal. Only `begin` raises if the disk fails.

    `found` is called if entries of an earlier run come in late.
    """

    def __init__(self, claims: Claims, mend_seconds: float, found: Callable[[], None]) -> None:
        self.facts: dict[str, str] = {}
        self.on_restored: Callable[[], None] = lambda: None
        """Called when the file is complete again after a failure."""
        self.journal: Journal
        self.removals = Removals(self._remove)
        self._claims = claims
        self._mend_seconds = mend_seconds
        self._found = found
        self.unsaved_facts: set[str] = set()
        """Names of facts that the file does not have in their current form."""
        self._disk_fault: DiskFault | None = None
        self._trouble = JournalTrouble(mend_seconds)
        self._is_open = False
        self.read = asyncio.Event()
        """Set when this run has read the file. After that, memory is more up to date than any file."""
        self._tries = 0
        self._trying = asyncio.Lock()
        self._under_way = 0
        self._write_timeout = WriteTimeout(WRITE_TIMEOUT_SECONDS, self._trouble.wrote)
        self._tasks = Tasks()
        self._wake = asyncio.Event()
        self._is_closing = False

    @property
    def is_whole(self) -> bool:
        """Whether the file has everything that is open. Rows that are over may still wait for their removal."""
        is_behind = any(row not in self.removals for row in self._claims.unsaved())
        return self._is_open and not self.unsaved_facts and not is_behind

    @property
    def is_in_trouble(self) -> bool:
        """Whether the disk does not take what must be on it, as far as this was reported."""
        return self._trouble.is_told

    @property
    def is_worth_waiting_for(self) -> bool:
        """Whether the end should wait for the disk: it may answer, or some results are only in memory."""
        return self._disk_fault is not DiskFault.SLOW or self._claims.results_in_memory_only() > 0

    async def begin(self, journal: Journal) -> None:
        """Open the file. Raises `StateDirectoryError` if this worker should not start."""
        self.journal = journal
        self._trouble.path = str(journal.path)
        try:
            await self._open()
        except DISK_ERRORS as error:
            fault = fault_of(error)
            if fault is not DiskFault.DAMAGED and fault not in PASSES_AT_START:
                raise StateDirectoryError(
                    f"The journal {journal.path} can't be opened: {error}. Check its owner and its disk, "
                    "or give another --state-dir."
                ) from error
            self._on_fault(fault, error)
            if fault is DiskFault.DAMAGED:
                # At once: the file may say who this worker is.
                await self._try_everything()

    def begin_to_save(self, rows: Sequence[Row]) -> Saving:
        """Save rows in one transaction, together with all removals that wait."""
        if not rows or not self._is_open:  # when the file is opened, they are written
            return SAVED
        self.removals.begin()
        return self._saving(self._submit(rows))

    async def save(self, rows: Sequence[Row]) -> None:
        """Same as `begin_to_save`. Returns when the rows are on the disk, or when the disk has failed."""
        await self.begin_to_save(rows).wait()

    def _remove(self, row: Row) -> Saving:
        if self._is_open:
            return self._saving(self._submit([row]))
        if row.saved:  # otherwise the file has nothing of it
            self._write_timeout.watch(self.journal.name_accepted(row.entry))
        return SAVED

    async def remember(self, name: str, value: str) -> None:
        """Save a fact, as `save` does."""
        self.facts[name] = value
        self.unsaved_facts.add(name)
        if self._is_open:
            self.removals.begin()
            await self._saving(self._submit_fact(name)).wait()

    async def do(self, work: Callable[[], None]) -> None:
        """Do other work on the file's disk, in its thread. Returns when it is done, or as soon as the disk hangs."""
        await self._saving(self._write_timeout.watch(self.journal.call(work))).wait()

    def file_was_taken_away(self) -> None:
        """The file is gone, or another one is in its place: begin again, and write everything to it."""
        self._on_fault(DiskFault.GONE, None)

    async def close(self) -> None:
        """Try once more to save what is not saved, and say what is lost if that fails."""
        self._is_closing = True
        await self._tasks.close()
        self.removals.begin()
        if not self.is_whole:
            await self._try_everything()
        self._trouble.close(is_whole=self.is_whole)
        self._write_timeout.close()
        if lost := self._claims.results_in_memory_only():
            tell(_log, ResultsLost(results=lost, path=str(self.journal.path)))

    def _submit(self, rows: Sequence[Row]) -> "asyncio.Future[None]":
        versions = [(row, row.version) for row in rows]
        file = self._claims.file
        self._under_way += 1

        def settled(error: BaseException | None) -> None:
            self._under_way -= 1
            if file != self._claims.file:
                return  # it went to a file that is not in use any more
            # A row that can't be stored at all stays in memory and is not tried again. Of several, it is unknown which.
            if error is None or (fault_of(error) is DiskFault.BUG and len(rows) == 1):
                for row, version in versions:
                    self._claims.saved(row, version, in_file=error is None)

        if len(rows) == 1 and rows[0].gone:
            future = self.journal.remove(rows[0].entry, settled, is_over=True)
        else:
            future = self.journal.save([row.entry for row in rows], settled)
        return self._write_timeout.watch(future)

    def _submit_fact(self, name: str) -> "asyncio.Future[None]":
        value, file = self.facts[name], self._claims.file
        self._under_way += 1

        def settled(error: BaseException | None) -> None:
            self._under_way -= 1
            if error is None and file == self._claims.file and self.facts[name] == value:
                self.unsaved_facts.discard(name)

        future = self.journal.save_fact(name, value, settled)
        return self._write_timeout.watch(future)

    def _saving(self, future: "asyncio.Future[Any]") -> Saving:
        """Handle the end of a write. If the disk is known to hang, nobody waits for it."""
        if self._disk_fault is DiskFault.SLOW:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            return SAVED
        future.add_done_callback(self._ended)
        return Saving(future)

    def _ended(self, future: "asyncio.Future[Any]") -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._on_fault(fault_of(error), error)  # no job must fail because of it

    async def _wait_for_all(self, futures: "Sequence[asyncio.Future[Any]]") -> None:
        for result in await asyncio.gather(*futures, return_exceptions=True):
            if isinstance(result, BaseException):
                self._on_fault(fault_of(result), result)

    def _on_fault(self, fault: DiskFault, error: BaseException | None) -> None:
        if fault is DiskFault.BUG:
            tell(_log, JournalMetBug(), error=error)
        else:
            if fault is not DiskFault.DAMAGED:  # reported when it is mended, a moment later
                self._trouble.begins(fault, error)
            if self._disk_fault is not DiskFault.DAMAGED:
                self._disk_fault = fault
        if fault in (DiskFault.DAMAGED, DiskFault.GONE) and self._is_open:
            self._is_open = False
            self._lose_file()
        if fault in (DiskFault.DAMAGED, DiskFault.GONE, DiskFault.BUG):
            self._wake.set()
        if not self._is_closing and not self._tasks:
            self._tasks.keep(self._mend, "repair of the journal")

    def _lose_file(self) -> None:
        self.removals.clear()
        self._claims.lose_file()
        self.unsaved_facts.update(self.facts)

    async def _mend(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._mend_seconds):
                    await self._wake.wait()
            self._wake.clear()
            await self._try_everything()
            if self.is_whole:
                break
        self._disk_fault = None
        self._tries = 0
        if self._trouble.is_told:
            self._trouble.ends()
            self.on_restored()

    async def _try_everything(self) -> None:
        """Write all that the file does not have. First open it, or a new one, if needed."""
        async with self._trying:
            if self._disk_fault is DiskFault.SLOW and self._under_way:
                return  # more would only pile up
            self._tries += 1
            try:
                await self._make_sure_of_the_file()
            except (*DISK_ERRORS, StateDirectoryError) as error:
                self._is_open = False
                self._disk_fault = fault_of(error)
                self._trouble.begins(self._disk_fault, error)
                return
            self.removals.clear()  # they are among these
            futures: list[asyncio.Future[Any]] = [self._submit([row]) for row in self._claims.unsaved()]
            futures += [self._submit_fact(name) for name in sorted(self.unsaved_facts)]
            await self._wait_for_all(futures)

    async def _make_sure_of_the_file(self) -> None:
        if self._disk_fault is DiskFault.DAMAGED:
            await self._move_aside()
            self._disk_fault = DiskFault.OTHER
        stale = self._tries % REOPEN_AFTER_TRIES == 0 and self._disk_fault not in PASSES_BY_ITSELF
        # SQLite's view of a file may be stale: after an I/O error, or if the disk went away and came back.
        if not self._is_open or stale:
            self._is_open = False
            await self._open()

    async def _open(self) -> None:
        # If this run has claims, an earlier run's claims may get new numbers, and are written with their results.
        is_late = self._tries > 0 and not self.read.is_set()
        loaded = await self._patiently(self.journal.open(math.inf if is_late else MOST_BYTES))
        replaced = [] if self.read.is_set() else self._adopt(loaded, saved=True)
        if self.read.is_set():  # meanwhile it may be another file, or a new one
            self.unsaved_facts |= compare_with_file(loaded, self._claims, self.facts)
            self.journal.look_again()  # a person may have requeued dead letters meanwhile
        self._claims.numbers_above(loaded.highest)
        self._is_open = True
        if replaced:
            # First write the new rows, then remove the old ones. A kill in between leaves one row too many, which the
            # engine refuses, and never one too few.
            futures = [self._submit([row]) for row in self._claims.unsaved() if row.earlier]
            futures += [self._write_timeout.watch(self.journal.remove(entry)) for entry in replaced]
            await self._wait_for_all(futures)
        self.read.set()

    async def _move_aside(self) -> None:
        aside, salvaged = await self._patiently(self.journal.move_aside())
        self._claims.take_texts(salvaged.entries)
        self._lose_file()  # the damage may have been found while it was opened
        is_first = not self.read.is_set()
        if is_first:
            self._adopt(salvaged, saved=False)
            self.read.set()
        tell_replaced(self.journal.path, aside, salvaged if is_first else None)

    def _adopt(self, loaded: Loaded, *, saved: bool) -> list[Entry]:
        """Take in the entries of an earlier run. Returns those that must not stay in the file as they are."""
        replaced, unsaved_facts = adopt(loaded, self._claims, self.facts, saved=saved)
        self.unsaved_facts |= unsaved_facts
        if loaded.entries:
            self._found()
        return replaced

    async def _patiently(self, future: "asyncio.Future[Any]") -> Any:
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # perhaps nobody waits
        async with time_limit(OPEN_SECONDS):
            return await asyncio.shield(future)
