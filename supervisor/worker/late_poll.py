"""A poll that gets no answer: which slots it covers, and for which another one may be sent beside it.

Its answer is the claim, so that it is awaited to the end of its time. It covers as many slots as it has asked for, as
it may be answered at any moment: the engine may have been slow with all requests. Only when the engine has answered a
later poll, and this one still not, its request or its answer is lost. Then the engine is asked which jobs it has given
away for it, and the poll covers these alone.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from supervisor.engine.items import LostJob
from supervisor.errors import EngineError

LATE_SECONDS: Final = 2.0
"""When a poll is late. The engine answers at once (engine contract: polls)."""

ASK_SECONDS: Final = 1.0
"""How often the engine is asked whether it answers polls, and how long each answer is waited for."""

GRACE_SECONDS: Final = 1.0
"""So long an earlier poll may be answered after a later one: two workers of the engine may take turns."""


class PolledEngine(Protocol):
    """The part of the engine that tells what has become of a poll."""

    async def poll_nothing(self, worker_uuid: str, seconds: float) -> None:
        """Poll without a claim. Raises `EngineError`."""
        ...

    async def claimed_jobs(self, worker_uuid: str, seconds: float | None = None) -> list[LostJob]:
        """Return what this worker has claimed. Raises `EngineError`."""
        ...


class KnownJobs(Protocol):
    """The part of the dispatcher that knows jobs, and is to be told when slots become free."""

    changed: asyncio.Event

    @property
    def known_job_ids(self) -> frozenset[str]:
        """The jobs that have arrived here."""
        ...


class LatePoll:
    """One of them. `covers` is how many slots must be kept for its answer, `began_at` is of the loop's clock."""

    def __init__(self, asking: "asyncio.Task[float]", limit: int) -> None:
        self.covers = limit
        self.began_at = asyncio.get_running_loop().time() - LATE_SECONDS
        self._asking = asking
        self._limit = limit

    async def find_out(self, engine: PolledEngine, dispatcher: KnownJobs, uuid: Callable[[], str]) -> None:
        """Lower `covers` to what it really may claim. Ends with the poll at the latest; raises nothing."""
        loop = asyncio.get_running_loop()
        while self.covers and not self._asking.done():
            began = loop.time()
            if await _answers_polls(engine, uuid()):
                await asyncio.wait((self._asking,), timeout=GRACE_SECONDS)
                if not self._asking.done():
                    await self._count(engine, dispatcher, uuid())
            left = began + ASK_SECONDS - loop.time()
            if left > 0:
                await asyncio.wait((self._asking,), timeout=left)

    async def _count(self, engine: PolledEngine, dispatcher: KnownJobs, uuid: str) -> None:
        known = dispatcher.known_job_ids
        try:
            claimed = await engine.claimed_jobs(uuid, ASK_SECONDS)
        except EngineError:
            return  # it can't tell: every slot may be claimed
        known |= dispatcher.known_job_ids
        self.covers = min(self._limit, sum(job.job_id not in known for job in claimed))
        dispatcher.changed.set()


async def _answers_polls(engine: PolledEngine, uuid: str) -> bool:
    try:
        await engine.poll_nothing(uuid, ASK_SECONDS)
    except EngineError as error:
        # A refusal is an answer. A server's error may be a proxy's.
        return error.status is not None and error.status < 500
    return True
