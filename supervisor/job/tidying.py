"""What follows a job and can wait for its result: its child is closed, the next one started, the directory removed.

All of it takes a processor, and the disk, from the result while it is made durable and sent.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from supervisor.job.directories import JobDirectories

LATEST_SECONDS: Final = 0.05
"""By then it begins anyway: whoever runs a job need not say that its result is on its way."""


class Tidying:
    """Owes this to each job that is over: `close_later`, `owe`, then `begin` or time; `wait` for the end of it."""

    def __init__(self, directories: Callable[[], JobDirectories], refill: Callable[[], None]) -> None:
        self._directories = directories
        self._refill = refill
        self._owed: dict[str, tuple[str, asyncio.TimerHandle]] = {}
        self._closing: dict[str, Callable[[], None]] = {}
        self._removing: dict[str, asyncio.Future[object]] = {}

    def close_later(self, job_id: str, close: Callable[[], None]) -> None:
        """Call `close` then, before the next child is started, which may be born where this one was. `owe` follows."""
        self.begin(job_id)  # one of the same id: a retry that came before this one was tidied up
        self._closing[job_id] = close

    def owe(self, job_id: str, directory: str) -> None:
        """Tidy up after this job soon."""
        self.begin(job_id)
        timer = asyncio.get_running_loop().call_later(LATEST_SECONDS, self.begin, job_id)
        self._owed[job_id] = directory, timer

    def begin(self, job_id: str) -> None:
        """Do it now, if that is owed still."""
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
        """Do now whatever is owed."""
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
