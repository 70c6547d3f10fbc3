"""The directories of jobs: each job gets one, as its home and for temporary files. It is removed after the job."""

import asyncio
import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from supervisor.job.directory_place import DirectoryPlace
from supervisor.launcher.repeating_failure import RepeatingFailure
from supervisor.log.event import tell
from supervisor.log.events.surroundings import (
    JobDirectoriesBack,
    JobDirectoriesElsewhere,
    JobDirectoriesMadeAnew,
)
from supervisor.process.disk_thread import AGAIN, DiskHangsError, DiskThread
from supervisor.process.trees import removal

_log = logging.getLogger(__name__)

MEMORY: Final = Path("/dev/shm")  # noqa: S108  # below it, a directory of ours

_LOOK_SECONDS: Final = 2.0
_TURN_SECONDS: Final = 0.01
"""How long it removes one directory until another one has its turn."""

_REMOVER_LIMIT_SECONDS: Final = 0.5
"""The remover's calls are short, and slots wait for them."""

START_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 10.0

REMOVAL_SECONDS: Final = 5.0
"""How long a slot waits for the directory of its job to be removed."""


class JobDirectories:
    """Makes and removes directories below `parent`. The loop never waits for their disk (docs/adr/0022).

    It makes one ahead for each child that waits. If the disk is full, broken, or does not answer, jobs get directories
    in memory. Raises `StartRefusedError` if a thread can't be started.
    """

    def __init__(self, parent: Path, spares: int = 0) -> None:
        self._parent = parent
        self._most_for_all = max(1, spares)
        self._ahead: dict[int | None, deque[asyncio.Future[str]]] = defaultdict(deque)
        """Directories that no job has yet, by the user who owns them."""
        self._place = DirectoryPlace(lambda: (parent,), self._tell_lost)
        self._elsewhere = DirectoryPlace(lambda: _elsewhere(parent), lambda _: None)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._maker = DiskThread("directories", idle=self._look, idle_seconds=lambda: _LOOK_SECONDS)
        self._remover = DiskThread("removal of directories", _REMOVER_LIMIT_SECONDS)
        self._memory = DiskThread("directories in memory")
        self._failure = RepeatingFailure(_log)
        self._closed = False

    async def prepare(self) -> None:
        """Make the parent, and begin to remove the leftovers of earlier runs. Raises `OSError`."""
        self._loop = asyncio.get_running_loop()
        opened = self._maker.submit(self._place.open)
        await asyncio.wait((opened,), timeout=START_SECONDS)
        for path in await self._maker.within_limit(opened):
            self.remove(path)
        self._memory.submit(_remove_what_is_elsewhere, self._parent)

    def make_ahead(self, owner: int | None = None) -> None:
        """Make a directory for a child that waits for its job. Then no job waits for the disk."""
        ahead = self._ahead[owner]
        # A user has one child at a time, and can use a directory that its last child did not need.
        most = self._most_for_all if owner is None else 1
        if len(ahead) < most and not self._closed and not self._maker.hangs:
            ahead.append(self._maker.submit(self._place.make, owner))

    async def take(self, owner: int | None = None) -> str:
        """Return a directory that only `owner` can enter; this user, if none is given.

        Raises `OSError` if there can be none, not even in memory: within seconds, whatever the disk does.
        """
        try:
            path = await self._on_the_disk(owner)
        except OSError as error:
            path = await self._memory.call(self._elsewhere.make, owner)
            self._failure.failed(
                JobDirectoriesElsewhere(
                    path=str(self._parent), place=os.path.dirname(path), reason=error.strerror or str(error)
                )
            )
        else:
            self._failure.over(JobDirectoriesBack(path=str(self._parent)))
        return path

    async def _on_the_disk(self, owner: int | None) -> str:
        ahead = self._ahead[owner]
        # A directory made ahead is useless if its disk does not answer: the job would hang there.
        if ahead and not self._maker.hangs:
            made = ahead.popleft()
            if made.done() and made.exception() is None:
                return made.result()
            if not made.done():
                return await self._within_limit(made, owner)
        if self._maker.hangs:
            raise DiskHangsError(self._maker.limit_seconds)
        return await self._within_limit(self._maker.submit(self._place.make, owner), owner)

    async def _within_limit(self, made: "asyncio.Future[str]", owner: int | None) -> str:
        try:
            return await self._maker.within_limit(made)
        except OSError:
            if not made.done():  # it may still be made, and can be used then
                self._ahead[owner].append(made)
            raise

    def take_back(self, path: str, then: Callable[[], None]) -> None:
        """Close a directory to the user that it was given to. Call `then` when the user may run another job.

        If its disk does not answer, the user must wait for that.
        """
        self._thread_of(path).submit(_close_to_its_user, path).add_done_callback(lambda _: then())

    def remove(self, path: str) -> "asyncio.Future[object]":
        """Remove a job's directory. Other directories have their turn meanwhile, however large this one is."""
        return self._thread_of(path).submit(_remove_some, removal(path))

    async def wait_for_removal(self, removing: "asyncio.Future[object]") -> None:
        """Wait until a directory is removed, but only for a limited time, and not if its disk does not answer."""
        end = time.monotonic() + REMOVAL_SECONDS
        while not removing.done() and time.monotonic() < end and not self._remover.hangs:
            await asyncio.wait((removing,), timeout=min(0.5, REMOVAL_SECONDS))

    async def close(self) -> None:
        """Remove what is still to be removed, and directories made ahead; not those on a disk that does not answer."""
        self._closed = True
        await self._maker.close(CLOSE_SECONDS)
        for made in (made for ahead in self._ahead.values() for made in ahead):
            if made.done() and made.exception() is None:
                self.remove(made.result())
        self._ahead.clear()
        self._memory.submit(self._elsewhere.remove_if_empty)
        for thread in (self._remover, self._memory):
            await thread.close(CLOSE_SECONDS)

    def _thread_of(self, path: str) -> DiskThread:
        return self._remover if path.startswith(f"{self._parent}/") else self._memory

    def _look(self) -> None:
        with contextlib.suppress(OSError):  # the next directory will show it
            self._place.look()

    def _tell_lost(self, parent: str) -> None:
        def forget() -> None:
            # Directories that are being made now are below the new parent.
            for owner, ahead in self._ahead.items():
                self._ahead[owner] = deque(made for made in ahead if not made.done())
            tell(_log, JobDirectoriesMadeAnew(path=parent))

        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(forget)


def _elsewhere(parent: Path) -> Iterator[Path]:
    """Yield where directories may be if they can't be below `parent`: one name for each user and parent."""
    digest = hashlib.sha256(os.fsencode(parent)).hexdigest()[:12]
    name = f"neops-jobs-{os.geteuid()}-{digest}"
    yield MEMORY / name
    yield Path(tempfile.gettempdir()) / name


def _remove_some(removing: Iterator[None]) -> object:
    end = time.monotonic() + _TURN_SECONDS
    for _ in removing:
        if time.monotonic() >= end:
            return AGAIN
    return None


def _remove_what_is_elsewhere(parent: Path) -> None:
    for path in _elsewhere(parent):
        with contextlib.suppress(OSError):
            if os.lstat(path).st_uid == os.geteuid():
                for _ in removal(path):
                    pass


def _close_to_its_user(path: str) -> None:
    with contextlib.suppress(OSError):
        os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)
