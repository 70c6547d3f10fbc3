"""A locked state directory, and whether it is where its worker was registered."""

import asyncio
import contextlib
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from supervisor.errors import StateDirectoryError
from supervisor.journal.directory import take_directory
from supervisor.journal.place_record import FILE, PlaceRecord, new_place, place_of, read_place, write_place
from supervisor.log.event import tell
from supervisor.log.events.state import (
    PlaceInDoubt,
    PlaceUnrecorded,
    StateDirectoryHangs,
    StateDirectoryLockWeak,
)
from supervisor.process.machine import Machine, this_machine

_log = logging.getLogger(__name__)

HANGS_SECONDS: Final = 5.0


class StateDirectory:
    """Locked for this process until `close`. Everything here blocks for as long as the disk does: call it in a thread.

    Raises `StateDirectoryError` if the directory can't be used.
    """

    def __init__(self, path: Path, machine: Machine | None = None) -> None:
        self.path = path
        self._machine = this_machine() if machine is None else machine
        self._lock = take_directory(path)
        try:
            self._record: PlaceRecord = read_place(path, self._lock.descriptor, self._machine)
        except OSError as error:
            self._lock.close()
            raise StateDirectoryError(
                f"The state directory {path} can't be used: {error.strerror}. Give another --state-dir."
            ) from error
        self.doubt = self._record.doubt
        """Why it may be a copy of another directory, as found at the start. It stays the same for the whole run."""

    @property
    def key(self) -> str:
        """The key that ties the journal to this directory."""
        return self._record.key

    @property
    def lock_weakness(self) -> str | None:
        """Which lock the file system does not support, if any."""
        return self._lock.weakness

    def judge_journal(self, key: str | None) -> None:
        """Use the journal's key too: it is the key of the directory in which the journal was made."""
        self._record = self._record.of_journal(key)
        self.doubt = self._record.doubt

    def remember(self) -> None:
        """Write down where the directory is, unless this is in doubt. Raises `OSError`."""
        if self._record.doubt is None and not self._record.is_current:
            self._write(self._record)

    def settle(self) -> str:
        """Make the directory belong to where it is now. Returns its new key. Raises `OSError`."""
        self._write(new_place(self._lock.descriptor, self._machine))
        return self.key

    def follow(self) -> None:
        """Lock the directory that is at the path now, if the locked one was removed, moved or replaced.

        The old one does not belong to its place any more: it may be somewhere else, with the same journal. Raises
        `OSError` and `StateDirectoryError`.
        """
        before = os.dup(self._lock.descriptor)
        try:
            if self._lock.follow():
                with contextlib.suppress(OSError):
                    os.unlink(FILE, dir_fd=before)
                if self._record.doubt is None:
                    place = place_of(self._lock.descriptor, self._machine, self.key)
                    self._record = replace(self._record, now=place, is_current=False)
            with contextlib.suppress(OSError):  # tried again when the journal works again
                self.remember()
        finally:
            os.close(before)

    def close(self) -> None:
        """Release the directory. A second call does nothing."""
        self._lock.close()

    def _write(self, record: PlaceRecord) -> None:
        write_place(self.path, record)
        self._record = replace(record, was_found=True, doubt=None, is_current=True)


async def open_directory(path: Path) -> StateDirectory:
    """Take a state directory. While its disk does not answer, the loop is free, and the log says so.

    Raises `StateDirectoryError`. After a cancellation, the directory is released as soon as it was taken.
    """
    taking = asyncio.get_running_loop().run_in_executor(None, StateDirectory, path)
    try:
        done, _ = await asyncio.wait((taking,), timeout=HANGS_SECONDS)
        if not done:
            tell(_log, StateDirectoryHangs(path=str(path), seconds=HANGS_SECONDS))
        directory = await asyncio.shield(taking)
    except asyncio.CancelledError:
        taking.add_done_callback(_let_go)
        raise
    if directory.lock_weakness is not None:
        tell(_log, StateDirectoryLockWeak(path=str(path), reason=directory.lock_weakness))
    return directory


def _let_go(taking: "asyncio.Future[StateDirectory]") -> None:
    if not taking.cancelled() and taking.exception() is None:
        taking.result().close()


def tell_doubt(directory: StateDirectory) -> None:
    """Say why a directory may be a copy, and what to do, if it may be one."""
    if directory.doubt is not None:
        tell(_log, PlaceInDoubt(path=str(directory.path), reason=directory.doubt))


async def remember_place(directory: StateDirectory) -> bool:
    """Write down where the directory is, unless this is in doubt. Returns whether it is written; logs a failure."""
    try:
        await asyncio.to_thread(directory.remember)
    except OSError as error:
        tell(_log, PlaceUnrecorded(path=str(directory.path), reason=str(error)))
        return False
    return True


async def settle_place(directory: StateDirectory) -> str | None:
    """Make the directory belong to where it is now. Returns its new key, or `None` after a failure, which it logs."""
    try:
        return await asyncio.to_thread(directory.settle)
    except OSError as error:
        tell(_log, PlaceUnrecorded(path=str(directory.path), reason=str(error)))
        return None
