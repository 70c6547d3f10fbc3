"""Jobs that the engine has given to this worker and that never arrived.

A poll is the claim (contract W5). When its answer is lost on the way, the engine counts its jobs as this worker's, and
would wait for their results until it gives them up, twelve minutes later. So the engine is asked what it has given
away, and what is not here is reported as failed at once.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Final

from supervisor.engine.api import EngineApi
from supervisor.errors import EngineError
from supervisor.log.event import tell
from supervisor.log.events.worker import ClaimsLost, ClaimsUnknown
from supervisor.worker.dispatch import Dispatcher

_log = logging.getLogger(__name__)

SECOND_LOOK_SECONDS: Final = 30.0
"""When the engine is asked once more: a request that was cut off here may be carried out there a little later."""

REGULAR_LOOK_SECONDS: Final = 60.0
"""How often it is asked in any case: a proxy that sends a poll twice claims jobs, and nothing breaks."""

ANSWER_SECONDS: Final = 3.0
"""How long the engine's list is waited for. It can be asked for again; no jobs are asked for meanwhile."""

_NOT_ALLOWED: Final = frozenset({401, 403})


def may_have_claimed(error: EngineError) -> bool:
    """Whether the engine may have handed jobs out for a poll that failed like this.

    No answer, an answer that can't be read, or a server's error after the commit. A 4xx is a plain no.
    """
    return error.status is None or error.status < 300 or error.status >= 500


class LostClaims:
    """Finds and reports them. `clock` is the loop's, and is replaced in tests.

    `knows_the_past` says whether the dispatcher knows the jobs of the run before this one. What the engine lists and
    the dispatcher does not know is lost only then: of another job there may be a success in the journal (I8).
    """

    def __init__(
        self,
        engine: EngineApi,
        dispatcher: Dispatcher,
        clock: Callable[[], float] | None = None,
        *,
        knows_the_past: Callable[[], bool] = lambda: True,
    ) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._knows_the_past = knows_the_past
        self._clock = clock or asyncio.get_running_loop().time
        self._look_at = math.inf
        self._second_look_at = math.inf
        self._regular_look_at = self._clock() + REGULAR_LOOK_SECONDS
        self._told = False
        self._of_the_last_run = False

    def suspect_the_last_run(self) -> None:
        """Ask before the first poll: the run before this one may have been killed with jobs that nobody wrote down."""
        self._of_the_last_run = True
        self.suspect()

    def suspect(self) -> None:
        """Ask before the next poll, and once more later: a poll has broken."""
        now = self._clock()
        self._look_at = now
        self._second_look_at = now + SECOND_LOOK_SECONDS

    @property
    def are_suspected(self) -> bool:
        """Whether a poll has broken and the engine was not asked yet what it has given away."""
        return self._look_at < math.inf

    @property
    def is_due(self) -> bool:
        """Whether the engine should be asked now."""
        due_at = min(self._look_at, self._second_look_at, self._regular_look_at)
        return self._knows_the_past() and self._clock() >= due_at

    async def look(self, worker_uuid: str) -> None:
        """Ask if it is due. Never while a poll is under way: its jobs would look lost. Raises nothing."""
        if not self.is_due:
            return
        # Known before or after: a job whose result is delivered meanwhile is in neither list alone.
        known = self._dispatcher.known_job_ids
        try:
            claimed = await self._engine.claimed_jobs(worker_uuid, ANSWER_SECONDS)
        except EngineError as error:
            self._failed(error)
            return
        self._forget_what_was_due()
        known |= self._dispatcher.known_job_ids
        lost = [job for job in claimed if job.job_id not in known]
        if lost:
            tell(_log, ClaimsLost(jobs=len(lost)))
            await self._dispatcher.report_lost(lost, worker_uuid, by_the_last_run=self._of_the_last_run)
        self._of_the_last_run = False

    def _failed(self, error: EngineError) -> None:
        if error.retryable:
            return  # with the next poll
        suspected = self._clock() >= min(self._look_at, self._second_look_at)
        self._forget_what_was_due()
        if self._told or not suspected:
            return
        self._told = True
        advice = (
            "Give a token that may read jobs (--engine-token-file)."
            if error.status in _NOT_ALLOWED
            else "This engine can't tell."
        )
        tell(_log, ClaimsUnknown(reason=str(error), advice=advice))

    def _forget_what_was_due(self) -> None:
        now = self._clock()
        if self._look_at <= now:
            self._look_at = math.inf
        if self._second_look_at <= now:
            self._second_look_at = math.inf
        self._regular_look_at = now + REGULAR_LOOK_SECONDS
