"""A poll without an answer: which slots it covers, and for which slots another poll may be sent beside it.

Its answer is the claim, so the worker waits for it to the end of its time. It covers as many slots as it has asked for:
the answer may come at any moment, because the engine may be slow with all requests. Only if the engine has answered a
later poll, and still not this one, its request or its answer is lost. Then the worker asks the engine which jobs it has
given away for it, and the poll covers only these.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from supervisor.engine.arrival import Arrival
from supervisor.engine.items import LostJob
from supervisor.errors import EngineError

LATE_SECONDS: Final = 2.0
"""When a poll is late. The engine answers at once (engine contract: polls)."""

ASK_SECONDS: Final = 1.0
"""How often the worker asks whether the engine answers polls, and how long it waits for each answer."""

GRACE_SECONDS: Final = 1.0
"""An earlier poll may be answered so much after a later one: two processes of the engine may take turns."""


class PolledEngine(Protocol):
    """The part of the engine that knows the end of a poll."""

    async def poll_nothing(self, worker_uuid: str, seconds: float) -> None:
        """Poll without a claim. Raises `EngineError`."""
        ...

    async def claimed_jobs(self, worker_uuid: str, seconds: float | None = None) -> list[LostJob]:
        """Return the jobs that this worker has claimed. Raises `EngineError`."""
        ...


class KnownJobs(Protocol):
    """The part of the dispatcher that knows jobs, and needs to know when slots become free."""

    changed: asyncio.Event

    @property
    def known_job_ids(self) -> frozenset[str]:
        """The jobs that have arrived."""
        ...


class LatePoll:
    """One such poll. `covers` is how many slots must be kept for its answer."""

    def __init__(self, asking: "asyncio.Task[float]", limit: int, arrival: Arrival) -> None:
        self.covers = limit
        self._began_at = asyncio.get_running_loop().time() - LATE_SECONDS
        self._arrival = arrival
        self._asking = asking
        self._limit = limit

    @property
    def moved_at(self) -> float:
        """When a part of its answer has come, or else when it began, in seconds of the loop's clock."""
        return max(self._began_at, self._arrival.heard_at)

    async def find_out(self, engine: PolledEngine, dispatcher: KnownJobs, uuid: Callable[[], str]) -> None:
        """Lower `covers` to what the poll can really claim. Ends with the poll at the latest; raises nothing."""
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
            return  # the engine can't say: every slot may be claimed
        known |= dispatcher.known_job_ids
        self.covers = min(self._limit, sum(job.job_id not in known for job in claimed))
        dispatcher.changed.set()


async def _answers_polls(engine: PolledEngine, uuid: str) -> bool:
    try:
        await engine.poll_nothing(uuid, ASK_SECONDS)
    except EngineError as error:
        # A refusal is an answer. A server error may come from a proxy.
        return error.status is not None and error.status < 500
    return True
