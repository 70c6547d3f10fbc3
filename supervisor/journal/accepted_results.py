"""The file `accepted_results`: it names rows that the journal could not remove, so that none is sent again.

A result that the engine has accepted must not be sent later. If the engine has handed the job out again since then, it
would take that result for the result of the new try. The journal forgets a result by a transaction, and a full disk
refuses it. So this file has its full length from the beginning and is written in place: this needs no room
(docs/adr/0058).
"""

import contextlib
import errno
import hashlib
import json
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from supervisor.journal.records import Entry
from supervisor.log.event import tell
from supervisor.log.events.results import AcceptedResultsUnusable
from supervisor.process.small_file import replace_file

_log = logging.getLogger(__name__)

FILE: Final = "accepted_results"
SLOTS: Final = 1023
"""How many rows can be named: about as many as are open at most. While 1000 results wait, no jobs are polled."""

_SLOT_BYTES: Final = 32
_HEAD: Final = b"neops-supervisor accepted 1\n".ljust(_SLOT_BYTES, b"\0")
_FREE: Final = bytes(_SLOT_BYTES)
_FILE_BYTES: Final = len(_HEAD) + SLOTS * _SLOT_BYTES
_NOT_OURS: Final = frozenset({errno.ELOOP, errno.EPERM})
"""The code below refuses a link, or anything but an ordinary file of this user, with these errors."""


class AcceptedResults:
    """The names of rows, each in a slot of the file. Only the journal's writer uses it.

    No method raises if the disk fails: without a name, the next start sends a result once more, as without this file.
    A name is a digest. A name that is damaged or out of date matches no row and does nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._slot_of: dict[bytes, int] = {}
        self._free: list[int] = []
        """Slots without a name. Empty if there is no file."""
        self._is_told = False

    def open(self) -> None:
        """Read the file. If there is none, or it can't be trusted, make one without names."""
        self._slot_of, self._free = {}, []
        try:
            content = self._content()
        except OSError as error:  # the next start may be able to read it: keep its names
            self._tell(str(error.strerror))
            return
        if content is None:
            content = _HEAD + bytes(_FILE_BYTES - len(_HEAD))
            try:
                # Zeros are written: a file with holes would need blocks later, when a name is written.
                replace_file(self._path, content)
            except OSError:
                return  # the journal reports such a disk
        for slot in range(SLOTS):
            name = content[_offset(slot) : _offset(slot + 1)]
            if name == _FREE:
                self._free.append(slot)
            else:
                self._slot_of[name] = slot

    def named(self, entries: Sequence[Entry]) -> set[int]:
        """Return the numbers of those entries that have a name in the file."""
        if not self._slot_of:
            return set()
        return {entry.number for entry in entries if name_of(entry) in self._slot_of}

    def add(self, entry: Entry) -> None:
        """Name an entry. When this returns, the name survives the end of this process and of the machine."""
        name = name_of(entry)
        if name in self._slot_of or not self._free:
            return
        slot = self._free[-1]
        with contextlib.suppress(OSError), self._opened() as descriptor:
            os.pwrite(descriptor, name, _offset(slot))
            os.fdatasync(descriptor)
            self._free.pop()
            self._slot_of[name] = slot

    def remove(self, entry: Entry) -> None:
        """Free the slot of an entry that the journal does not hold any more."""
        if self._slot_of and (slot := self._slot_of.pop(name_of(entry), None)) is not None:
            self._make_free(slot)

    def keep(self, entries: Sequence[Entry]) -> None:
        """Free all other slots: the journal may have removed an entry right before the worker was killed."""
        if self._slot_of:
            for name in self._slot_of.keys() - {name_of(entry) for entry in entries}:
                self._make_free(self._slot_of.pop(name))

    def _make_free(self, slot: int) -> None:
        # Not synced: if the name comes back after a crash, it matches no row.
        with contextlib.suppress(OSError), self._opened() as descriptor:
            os.pwrite(descriptor, _FREE, _offset(slot))
            self._free.append(slot)

    def _content(self) -> bytes | None:
        """Return the file's content, `None` if the file must be made. Raises `OSError`."""
        try:
            with self._opened() as descriptor:
                content = os.pread(descriptor, _FILE_BYTES + 1, 0)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise
            self._tell("it is a link, or no ordinary file of this user alone")
            return None
        if len(content) == _FILE_BYTES and content.startswith(_HEAD):
            return content
        self._tell("it is damaged, or of another version")
        return None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        """Open the file, which must belong to this user and have only this name. Raises `OSError`."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            is_own = status.st_uid == os.geteuid() and status.st_nlink <= 1
            if not (is_own and stat.S_ISREG(status.st_mode)):
                raise OSError(errno.EPERM, os.strerror(errno.EPERM))
            yield descriptor
        finally:
            os.close(descriptor)

    def _tell(self, reason: str) -> None:
        if not self._is_told:
            self._is_told = True
            tell(_log, AcceptedResultsUnusable(path=str(self._path), reason=reason))


def name_of(entry: Entry) -> bytes:
    """Return the name of an entry. It depends on its row and its claim, not on its result.

    A later claim of the job has another number and another time, so its result has another name.
    """
    claim = entry.claim
    words = (entry.number, claim.job_id, claim.block_id, claim.worker_uuid, claim.claimed_at, claim.digest)
    return hashlib.blake2b(json.dumps(words).encode(), digest_size=_SLOT_BYTES).digest()


def _offset(slot: int) -> int:
    return len(_HEAD) + slot * _SLOT_BYTES
