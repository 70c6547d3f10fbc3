"""Jobs whose outcome has come: their slots will be free in some milliseconds, so the worker polls for more already.

Only while the engine has more jobs than there are slots. Otherwise the poll brings nothing, and takes a processor from
the result of the job that ends.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from supervisor.worker.claimed_jobs import ClaimedJob
from supervisor.worker.slots import WaitingJobs

SOON_SECONDS: Final = 0.1
"""How long a job counts after its outcome. If it takes longer, nobody knows when its slot will be free."""

PAUSE_SECONDS: Final = 0.001
"""How long after an outcome the poll is sent. The same poll covers other jobs that end within this time."""

FULL_POLLS: Final = 2
"""After so many polls in a row that bring as many jobs as they ask for, more jobs wait. One alone proves nothing."""


class EndingJobs:
    """Counts them, and sets `changed` for them. `clock` is monotonic."""

    def __init__(self, waiting: WaitingJobs, changed: asyncio.Event, clock: Callable[[], float]) -> None:
        self._waiting = waiting
        self._changed = changed
        self._clock = clock
        self._until: dict[ClaimedJob, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._full_polls = 0
        self._closed = False

    def polled(self, brought: int, limit: int) -> None:
        """A poll for `limit` jobs has brought so many."""
        self._full_polls = self._full_polls + 1 if brought >= limit else 0

    def __len__(self) -> int:
        now = self._clock()
        return sum(now < until for until in self._until.values())

    def enter(self, claimed: ClaimedJob) -> None:
        """The outcome of a job has come. It does not count if the job's block has slots of its own."""
        if self._closed or self._full_polls < FULL_POLLS or not self._waiting.takes_any_slot(claimed):
            return
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._tell)
        self._until[claimed] = self._clock() + SOON_SECONDS

    def leave(self, claimed: ClaimedJob) -> None:
        """The slot of a job is free. Sets `changed`, unless this was done when its outcome came."""
        now = self._clock()
        if now >= self._until.pop(claimed, now):
            self._changed.set()

    def _tell(self) -> None:
        self._timer = None
        self._changed.set()

    def close(self) -> None:
        """Stop counting: no more polls are sent, and whoever waits for `changed` must see each free slot."""
        self._closed = True
        self._until.clear()
