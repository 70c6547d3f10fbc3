"""The host keys that this worker knows: in memory for the jobs, in a file for later, and in a file of the operator.

Memory is the truth. A thread writes the file. If the disk is full or hangs, no job waits for it, and the worker tries
the write again every second.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from supervisor.errors import StartRefusedError, StateDirectoryError
from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.files import KeptFile, WatchedFile
from supervisor.job.host_keys.known_hosts_file import KnownHostsText
from supervisor.job.host_keys.public_key import PublicKey
from supervisor.job.host_keys.table import Decision, Known, Table
from supervisor.log.event import tell
from supervisor.log.events.host_keys import (
    HostKeyLinesUnused,
    HostKeyMarkersSkipped,
    HostKeysNotStored,
    HostKeysStoredAgain,
    KnownHostsUnreadable,
)
from supervisor.process.disk_thread import DiskHangsError, DiskThread

_log = logging.getLogger(__name__)

FILE: Final = "known_hosts"
LOOK_EVERY_SECONDS: Final = 1.0
"""How soon the worker notices a person's change of one of the files, while jobs come that need keys."""

REST_SECONDS: Final = 10.0
"""The same while no such jobs come. The next one makes the worker look at the files first."""

_USED_SECONDS: Final = 60.0
"""For so long after a job has asked for keys, or has reported one, more such jobs are expected."""

_FRESH_SECONDS: Final = 2.0
"""A job gets no keys from an older look at the files, unless the disk does not answer."""

START_SECONDS: Final = 60.0
"""How long the start waits for a file: a disk may have to wake up, and a hundred thousand keys take seconds to read."""

_END_SECONDS: Final = 2.0
_MOST_NUMBERS: Final = 10


class HostKeyStore:
    """The keys of one worker, or of one run: without a `directory`, no key is kept on a disk.

    Used on the loop. Call `open` before the first job, `close` after the last one.
    """

    def __init__(self, directory: Path | None = None, known_hosts: Path | None = None) -> None:
        self._table = Table()
        self._given = WatchedFile(known_hosts)
        self._kept = None if directory is None else KeptFile(directory / FILE)
        self._disk: DiskThread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unwritten: list[tuple[Endpoint, PublicKey]] = []
        self._writing: asyncio.Future[KnownHostsText] | None = None
        self._looking: asyncio.Future[None] | None = None
        self._looked_at = -math.inf
        """When the last finished look began."""
        self._used_at = -math.inf
        self._told: set[Path] = set()
        """The files about which it was logged that they can't be read or written."""

    @property
    def keeps_on_disk(self) -> bool:
        """Whether the keys are still known after this run."""
        return self._kept is not None

    async def open(self) -> None:
        """Read the files. Raises `StateDirectoryError` and `StartRefusedError` if one can't be read.

        Without them, the worker would accept any key of a device that was known.
        """
        if self._kept is None and self._given.path is None:
            return
        self._loop = asyncio.get_running_loop()
        self._disk = DiskThread("host keys", idle=self._look, idle_seconds=self._pause_seconds)
        self._looked_at = time.monotonic()
        if self._kept is not None:
            try:
                await self._first(self._kept.read_if_changed)
            except DiskHangsError as error:
                raise StateDirectoryError(
                    f"The host keys in {self._kept.path} can't be read: {_reason(error)}. Check the disk."
                ) from error
            except (OSError, ValueError) as error:
                raise StateDirectoryError(
                    f"The host keys in {self._kept.path} can't be read: {_reason(error)}. Make the file readable for "
                    "the worker's user, or move it away: then the worker accepts the key that each device shows next."
                ) from error
            self._take_kept()
        if self._given.path is not None:
            try:
                given = await self._first(self._given.read_if_changed)
            except (OSError, ValueError) as error:
                raise StartRefusedError(
                    f"--known-hosts: {self._given.path} can't be read: {_reason(error)}."
                ) from error
            self._take_given(self._given, given)

    async def _first(self, read: Callable[[], KnownHostsText | None]) -> KnownHostsText | None:
        """Read a file for the first time. This may take longer than later reads, for which jobs wait."""
        assert self._disk is not None
        reading = self._disk.submit(read)
        await asyncio.wait((reading,), timeout=START_SECONDS)
        if not reading.done():
            raise DiskHangsError(START_SECONDS)
        return reading.result()

    async def close(self) -> None:
        """Write what is not written yet, if the disk takes it within two seconds, and end the thread."""
        if self._disk is not None:
            await self._disk.close(_END_SECONDS)

    def use(self, known_hosts: Path | None) -> None:
        """From now on, use this as the operator's file. If it can't be read, the earlier one stays in force."""
        if known_hosts == self._given.path:
            return
        self._given = WatchedFile(known_hosts)
        if known_hosts is None:
            self._table.given = Known()
        elif self._disk is not None:
            self._disk.submit(self._look)

    async def keys_of(self, endpoints: Collection[Endpoint]) -> list[tuple[Endpoint, PublicKey]]:
        """Return the known keys of these endpoints."""
        if self._disk is not None:
            await self._look_first(self._disk)
            for known in (self._table.given, self._table.kept):
                if unsought := known.unsought(endpoints):
                    # Each hashed name must be tried, in a thread: thousands of them would hold up the loop. If the
                    # disk holds up the thread, they are tried below.
                    with contextlib.suppress(OSError):
                        await self._disk.call(known.search, unsought)
        return self._table.keys_among(endpoints)

    async def _look_first(self, disk: DiskThread) -> None:
        """Look at the files now, unless that is done each second: no job may get a key that was forgotten."""
        was_used, self._used_at = self._is_used, time.monotonic()
        is_fresh = time.monotonic() < self._looked_at + _FRESH_SECONDS
        # A write may wait for a lock that somebody else holds. No job waits for that.
        if (was_used and is_fresh) or disk.hangs or self._writing is not None:
            return
        if self._looking is None or self._looking.done():
            self._looking = disk.submit(self._look)
        with contextlib.suppress(OSError):
            await disk.within_limit(self._looking)

    @property
    def _is_used(self) -> bool:
        return time.monotonic() < self._used_at + _USED_SECONDS

    def _pause_seconds(self) -> float:
        return LOOK_EVERY_SECONDS if self._is_used or self._unwritten else REST_SECONDS

    def known_key(self, endpoint: Endpoint) -> PublicKey | None:
        """Return a known key of an endpoint, for a message."""
        return next(iter(self._table.keys_of(endpoint)), None)

    def decide(
        self, endpoint: Endpoint, key: PublicKey | None, endpoints: Collection[Endpoint], policy: str
    ) -> Decision:
        """See `Table.decide`. A key that is kept is written to the disk later; nobody waits for that."""
        self._used_at = time.monotonic()
        decision = self._table.decide(endpoint, key, endpoints, policy)
        if decision is Decision.KEPT and key is not None and self._kept is not None:
            self._unwritten.append((endpoint, key))
            self._write()
        return decision

    def _write(self) -> None:
        if self._writing is not None or self._disk is None or self._kept is None or not self._unwritten:
            return  # keys that come meanwhile are written together, afterwards
        batch = tuple(self._unwritten)
        self._writing = self._disk.submit(self._kept.add, batch)
        self._writing.add_done_callback(lambda done: self._written(self._path, done, len(batch)))

    def _written(self, path: Path, done: "asyncio.Future[KnownHostsText]", count: int) -> None:
        self._writing = None
        if done.cancelled():
            return
        if error := done.exception():
            if path not in self._told:
                self._told.add(path)
                tell(_log, HostKeysNotStored(path=str(path), reason=_reason(error)))
            return  # tried again at the next look
        if path in self._told:
            self._told.discard(path)
            tell(_log, HostKeysStoredAgain(path=str(path)))
        del self._unwritten[:count]
        self._take_kept()
        self._write()

    @property
    def _path(self) -> Path:
        assert self._kept is not None
        return self._kept.path

    def _look(self) -> None:
        """Read what has changed. Called by the thread."""
        began = time.monotonic()
        self._read_given(self._given)
        self._read_kept()
        self._looked_at = began

    def _read_given(self, given: WatchedFile) -> None:
        try:
            if (text := given.read_if_changed()) is not None:
                self._call_soon(self._take_given, given, text)
        except (OSError, ValueError) as error:
            self._call_soon(self._not_read, given.path, error)

    def _read_kept(self) -> None:
        if self._kept is None:
            return
        try:
            if self._kept.read_if_changed() is not None:
                self._call_soon(self._take_kept)
        except (OSError, ValueError) as error:
            self._call_soon(self._not_read, self._kept.path, error)
        if self._unwritten:
            self._call_soon(self._write)

    def _call_soon(self, function: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(function, *arguments)

    def _take_kept(self) -> None:
        # The newest text, not the result of the finished call: the result of a write comes to the loop later than the
        # result of a read after it. It would bring back a key that a person has forgotten meanwhile.
        assert self._kept is not None
        text = self._kept.text
        self._tell_lines(self._path, text)
        self._table.take_kept(Known(text), self._unwritten)

    def _take_given(self, file: WatchedFile, text: KnownHostsText | None) -> None:
        if file is not self._given or text is None or file.path is None:
            return  # another file was given meanwhile
        self._told.discard(file.path)
        self._tell_lines(file.path, text)
        self._table.given = Known(text)

    def _tell_lines(self, path: Path, text: KnownHostsText) -> None:
        if text.damaged:
            tell(_log, HostKeyLinesUnused(path=str(path), line_numbers=_listed(text.damaged)))
        if text.unused:
            tell(_log, HostKeyMarkersSkipped(path=str(path), line_numbers=_listed(text.unused)))

    def _not_read(self, path: Path, error: OSError | ValueError) -> None:
        if path not in self._told:
            self._told.add(path)
            tell(_log, KnownHostsUnreadable(path=str(path), reason=_reason(error)))


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _MOST_NUMBERS} more" if len(numbers) > _MOST_NUMBERS else ""
    return ", ".join(map(str, numbers[:_MOST_NUMBERS])) + more


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
