"""What the worker must remember. It is in memory first, so that a disk in trouble stops no job (docs/adr/0008)."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, Self

from supervisor.journal.claims import Claims
from supervisor.journal.durable_copy import MEND_SECONDS, DurableCopy
from supervisor.journal.outside_changes import read_wanted, tell_differences
from supervisor.journal.place_record import KEY_FACT
from supervisor.journal.records import Claim, Entry, RowState, StoredResult
from supervisor.journal.row import Row
from supervisor.journal.saving import SAVED, Saving
from supervisor.journal.state_directory import (
    StateDirectory,
    open_directory,
    remember_place,
    settle_place,
    tell_doubt,
)
from supervisor.journal.store import CLOSE_SECONDS, HANGING_CLOSE_SECONDS, Journal
from supervisor.journal.uuid_backup import UuidBackup
from supervisor.log.event import tell
from supervisor.log.events.results import ResultSuperseded
from supervisor.process.tasks import Tasks

_log = logging.getLogger(__name__)

_KEY = "digest_key"
_UUID = "worker_uuid"

SUPERSEDED: Final = (
    "The engine has handed this job out again since (claim {claim}). "
    "It would take this for the result of that try."
)


async def _nobody_listens() -> None:
    return


class Ledger:
    """Open claims, their results, and facts. No method raises if the disk fails.

    Each method returns when its change is durable, or as soon as the disk is known to refuse it. The log reports that
    once; then the disk is tried again until it has everything. Cancelling a method undoes nothing.
    """

    def __init__(self, mend_seconds: float = MEND_SECONDS) -> None:
        self.on_found: Callable[[], Coroutine[Any, Any, None]] = _nobody_listens
        """Awaited when `interrupted` or `undelivered` have grown: a dead letter was requeued, or the file was read."""
        self._claims = Claims()
        self._durable_copy = DurableCopy(self._claims, mend_seconds, self._tell_found)
        self._durable_copy.on_restored = self._on_restored
        self._foreseen: dict[int, Saving] = {}
        self._tasks = Tasks()
        self._uuid_backup: UuidBackup | None = None
        self._directory: StateDirectory
        self._is_registered_here = False
        self._waits_to_settle = False

    @classmethod
    async def open(cls, directory: Path, *, mend_seconds: float = MEND_SECONDS) -> Self:
        """Take the state directory and read its journal.

        Raises `StateDirectoryError` if the directory can't be used, or the file is of a newer version. A damaged file
        is moved aside. If the disk is full or broken, the worker works and the journal waits for the disk.
        """
        ledger = cls(mend_seconds)
        ledger._directory = held = await open_directory(directory)
        journal = Journal(directory, ledger._on_changed, ledger._on_lost, held)
        try:
            await ledger._durable_copy.begin(journal)
            await ledger._judge_place()
            ledger._uuid_backup = UuidBackup(directory / _UUID)
            is_known = _UUID in ledger._durable_copy.facts or ledger.doubt is not None
            if not is_known and (uuid := await asyncio.to_thread(ledger._uuid_backup.read)):
                # The journal was damaged. The engine knows this worker's jobs, and can be asked with this uuid.
                await ledger.remember(_UUID, uuid)
            if _KEY not in ledger._durable_copy.facts:
                await ledger.remember(_KEY, secrets.token_hex(32))
        except BaseException:
            await asyncio.to_thread(journal.close)
            raise
        return ledger

    @property
    def digest_key(self) -> bytes:
        """Return the key for digests of parameters. Each state directory has its own."""
        return bytes.fromhex(self._durable_copy.facts[_KEY])

    @property
    def doubt(self) -> str | None:
        """Why this state directory may be a copy: its records of the past may belong to another worker."""
        return self._directory.doubt

    async def settle_doubt(self) -> None:
        """Let the directory belong here from now on. Call it after everything that was in doubt has been handled.

        It waits until that is on the disk: until then, the next start must doubt as well.
        """
        if self.doubt is None:
            return
        self._waits_to_settle = True
        await self._durable_copy.removals.finish()
        if self.is_whole and (key := await settle_place(self._directory)):
            self._waits_to_settle = False
            await self.remember(KEY_FACT, key)

    @property
    def is_whole(self) -> bool:
        """Whether everything that is open is on the disk."""
        return self._durable_copy.is_whole

    @property
    def knows_the_last_run(self) -> bool:
        """Whether the rows of an earlier run are known. False while a file that the start could not read is unread."""
        return self._durable_copy.read.is_set()

    async def read(self) -> None:
        """Wait until they are known."""
        await self._durable_copy.read.wait()

    @property
    def is_in_trouble(self) -> bool:
        """Whether the disk does not take what must be on it."""
        return self._durable_copy.is_in_trouble

    def count(self) -> tuple[int, int]:
        """Return how many claims are in the journal, and how many of them are dead letters."""
        return self._claims.count()

    async def claim(self, claims: Sequence[Claim]) -> list[int]:
        """Record claimed jobs in one transaction and return their numbers."""
        numbers, saving = self.begin_to_claim(claims)
        await saving.wait()
        return numbers

    def begin_to_claim(self, claims: Sequence[Claim]) -> tuple[list[int], Saving]:
        """Same as `claim`, but return the numbers at once. Later saves reach the disk no sooner than these."""
        for number in self._claims.unreported({claim.job_id for claim in claims}):
            # The engine has given the job out again: an earlier run's claim of it is over.
            self.forget(number)
        added = self._claims.add(claims)
        return [row.entry.number for row in added], self._durable_copy.begin_to_save(added)

    def foresee_result(self, number: int, text: bytes) -> None:
        """Write the result that a claim will have if nothing else happens to its job (docs/adr/0046).

        In this process nobody gets it before `store_result` is called. The next start takes it as the result.
        """
        if row := self._claims.foresee(number, text, time.time()):
            self._foreseen[number] = self._durable_copy.begin_to_save([row])

    async def store_result(self, number: int, text: bytes) -> None:
        """Record the result of a claim. The first one stays: a result is never contradicted (I8)."""
        foreseen = self._foreseen.pop(number, SAVED)
        if row := self._claims.finish(number, text, time.time()):
            await self._durable_copy.save([row])
        else:
            await foreseen.wait()

    def forget(self, number: int) -> None:
        """Remove a claim whose result the engine has. Soon after, the result is wiped from the file.

        The row leaves the file with the next transaction, or soon by its own (docs/adr/0046). If this worker is killed
        before that, the next start sends the result once more, and the engine recognises it.
        """
        self._foreseen.pop(number, None)
        if row := self._claims.forget(number):
            self._durable_copy.removals.add(row)

    async def mark_dead(self, number: int, reason: str) -> None:
        """Keep a result that the engine will never take, with the reason. A person can then look at it."""
        if row := self._claims.mark_dead(number, reason):
            await self._durable_copy.save([row])

    async def keep_superseded(self) -> None:
        """Make results dead letters whose jobs were claimed again: for example a dead letter that somebody requeued.

        A result does not name its try, so the engine would take it for the result of the new one.
        """
        rows: list[Row] = []
        for number, later in self._claims.superseded().items():
            if row := self._claims.mark_dead(number, SUPERSEDED.format(claim=later)):
                rows.append(row)
                tell(_log, ResultSuperseded(job=row.entry.claim.job_id, dead_letter=number, claim=later))
        await self._durable_copy.save(rows)

    async def replace_refused(self, number: int, reason: str, text: bytes) -> StoredResult | None:
        """Keep a result that the engine has refused, as `mark_dead` does, and put `text` in its place as the result.

        In one transaction: a kill at any instruction leaves the claim with one of the two. Returns the result to send,
        `None` if the claim is not open any more.
        """
        if not (rows := self._claims.replace_refused(number, reason, text, time.time())):
            return None
        await self._durable_copy.save(rows)
        return self._claims.result(rows[0].entry.number)

    async def set_aside(self, numbers: Sequence[int], reason: str) -> None:
        """Keep claims without a result for a person to look at: their jobs may run elsewhere."""
        rows = [row for number in numbers if (row := self._claims.set_aside(number, reason))]
        await self._durable_copy.save(rows)

    def result(self, number: int) -> StoredResult | None:
        """Return the result of a claim, or `None` if there is none or the engine has it."""
        return self._claims.result(number)

    def undelivered(self) -> list[StoredResult]:
        """Return results that the engine does not have yet, oldest first, without those for `keep_superseded`."""
        return self._claims.undelivered()

    def interrupted(self) -> list[Entry]:
        """Return claims of an earlier run that have no result, oldest first."""
        return self._claims.interrupted()

    def known_job_ids(self) -> set[str]:
        """Return the jobs that are claimed and whose result the engine does not have, dead letters among them."""
        return self._claims.job_ids()

    async def fact(self, name: str) -> str | None:
        """Return a remembered fact, such as this worker's uuid; not a fact that may be another worker's."""
        if name == _UUID and self.doubt is not None and not self._is_registered_here:
            return None
        return self._durable_copy.facts.get(name)

    async def remember(self, name: str, value: str) -> None:
        """Remember a fact."""
        self._is_registered_here = self._is_registered_here or name == _UUID
        await self._durable_copy.remember(name, value)
        if name == _UUID:
            await self._copy_uuid()

    def is_on_disk(self, name: str) -> bool:
        """Whether the current value of a fact is durable. If the disk refuses it, it is written as soon as possible."""
        return name not in self._durable_copy.unsaved_facts

    async def _copy_uuid(self) -> None:
        copy, uuid = self._uuid_backup, self._durable_copy.facts.get(_UUID)
        if copy is not None and uuid is not None:
            await self._durable_copy.do(lambda: copy.write(uuid))

    def _on_restored(self) -> None:
        self._durable_copy.journal.look_again()  # requeued results may be unread
        self._tasks.start(self._write_beside(), "what lies beside the journal")

    async def _write_beside(self) -> None:
        """Write again what may be missing because the disk failed or the directory was lost."""
        await self._copy_uuid()
        await self._remember_place()
        if self._waits_to_settle:
            await self.settle_doubt()

    async def close(self) -> None:
        """Save what can be saved, and release the directory for another supervisor."""
        await self._tasks.close()
        await self._durable_copy.close()
        seconds = CLOSE_SECONDS if self._durable_copy.is_worth_waiting_for else HANGING_CLOSE_SECONDS
        # In a thread, because it waits for the writer's thread.
        await asyncio.to_thread(self._durable_copy.journal.close, seconds)

    async def _judge_place(self) -> None:
        self._directory.judge_journal(self._durable_copy.facts.get(KEY_FACT))
        tell_doubt(self._directory)
        await self._remember_place()

    async def _remember_place(self) -> None:
        # The journal gets the key only if the file exists: otherwise the next start would take this for a copy.
        is_written = self.doubt is None and await remember_place(self._directory)
        if is_written and self._durable_copy.facts.get(KEY_FACT) != self._directory.key:
            await self.remember(KEY_FACT, self._directory.key)

    def _on_changed(self, seen: list[RowState]) -> None:
        differences = self._claims.compare(seen)
        tell_differences(differences, self._claims)
        if differences.wanted:
            reading = read_wanted(differences.wanted, self._claims, self._durable_copy)
            self._tasks.start(reading, "results that are to be sent again")
        if differences.rewritten:
            self._tasks.start(self._durable_copy.save(differences.rewritten), "repair of the journal")
        if differences.unclear:
            self._durable_copy.journal.look_again()
        if differences.revived:
            self._tell_found()

    def _on_lost(self) -> None:
        self._durable_copy.file_was_taken_away()

    def _tell_found(self) -> None:
        self._tasks.start(self.on_found(), "delivery of what was found in the journal")
