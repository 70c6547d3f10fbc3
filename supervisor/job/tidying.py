"""Work after a job that can wait for its result: close its child, start the next one, remove its directory.

All of it would take a processor and the disk from the result while that is made durable and sent.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from supervisor.job.directories import JobDirectories

LATEST_SECONDS: Final = 0.05
"""By then it begins anyway: the caller need not report that the result is on its way."""


class Tidying:
    """Keeps this work for each finished job: `close_later`, `owe`, then `begin` or time; `wait` for its end."""

    def __init__(self, directories: Callable[[], JobDirectories], refill: Callable[[], None]) -> None:
        self._directories = directories
        self._refill = refill
        self._owed: dict[str, tuple[str, asyncio.TimerHandle]] = {}
        self._closing: dict[str, Callable[[], None]] = {}
        self._removing: dict[str, asyncio.Future[object]] = {}

    def close_later(self, job_id: str, close: Callable[[], None]) -> None:
        """Call `close` at that time, before the next child starts, which may take its place. `owe` must follow."""
        self.begin(job_id)  # the same id may be there: a retry that came before the first try was cleaned up
        self._closing[job_id] = close

    def owe(self, job_id: str, directory: str) -> None:
        """Clean up after this job soon."""
        self.begin(job_id)
        timer = asyncio.get_running_loop().call_later(LATEST_SECONDS, self.begin, job_id)
        self._owed[job_id] = directory, timer

    def begin(self, job_id: str) -> None:
        """Do it now, if it is not done yet."""
        if (owed := self._owed.pop(job_id, None)) is None:
            return
        directory, timer = owed
        timer.cancel()
        if (close := self._closing.pop(job_id, None)) is not None:
            close()
        self._refill()
        removing = self._removing[job_id] = self._directories().remove(directory)
        removing.add_done_callback(lambda _: self._forget(job_id, removing))

    def begin_all(self) -> None:
        """Do all of it now."""
        for job_id in list(self._owed):
            self.begin(job_id)

    async def wait(self, job_id: str) -> None:
        """Do it now, and wait until the directory is gone, so that its space is free again; at most seconds."""
        self.begin(job_id)
        if (removing := self._removing.get(job_id)) is not None:
            await self._directories().wait_for_removal(removing)

    def _forget(self, job_id: str, removing: "asyncio.Future[object]") -> None:
        if self._removing.get(job_id) is removing:
            del self._removing[job_id]
