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

from supervisor.engine.answering import Answering
from supervisor.engine.api import EngineApi
from supervisor.engine.backoff import Backoff
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

LONGEST_PAUSE_SECONDS: Final = 10.0
"""How long it is not asked after it has failed to answer: no jobs are asked for while it is."""

TOLD_AFTER_FAILURES: Final = 3
"""So often it is asked in vain until that is told, where it answers other requests."""

_NOT_ALLOWED: Final = frozenset({401, 403})


def may_have_claimed(error: EngineError) -> bool:
    """Whether the engine may have handed jobs out for a poll that failed like this.

    No answer, an answer that can't be read, or a server's error after the commit. A 4xx is a plain no.
    """
    return error.status is None or error.status < 300 or error.status >= 500


class LostClaims:
    """Finds and reports them. `clock` is the loop's, and is replaced in tests.

    `knows_the_last_run` says whether the dispatcher knows the jobs of the run before this one. What the engine lists
    and the dispatcher does not know is lost only then: of another job there may be a success in the journal (I8).

    A suspicion that can't be looked into is over after `engine_job_timeout_seconds`: by then the engine has given the
    jobs up. `answering` knows when the engine last answered anything.
    """

    def __init__(
        self,
        engine: EngineApi,
        dispatcher: Dispatcher,
        clock: Callable[[], float] | None = None,
        *,
        knows_the_last_run: Callable[[], bool] = lambda: True,
        answering: Answering | None = None,
        engine_job_timeout_seconds: float = math.inf,
    ) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._knows_the_last_run = knows_the_last_run
        self._answering = answering or Answering()
        self._engine_job_timeout = engine_job_timeout_seconds
        self._clock = clock or asyncio.get_running_loop().time
        self._look_at = math.inf
        self._second_look_at = math.inf
        self._regular_look_at = self._clock() + REGULAR_LOOK_SECONDS
        self._suspected_until = math.inf
        self._backoff = Backoff(first_seconds=1.0, longest_seconds=LONGEST_PAUSE_SECONDS)
        self._not_before = -math.inf
        self._failing_since: float | None = None
        self._told: set[str] = set()
        """Which advice was given since the engine has last answered."""
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
        self._suspected_until = now + self._engine_job_timeout

    @property
    def are_suspected(self) -> bool:
        """Whether a poll has broken, and the engine may wait for jobs of it, but did not tell yet what it gave away."""
        return self._look_at < math.inf and self._clock() < self._suspected_until

    async def look(self, worker_uuid: str, *, last: bool = False) -> None:
        """Ask if it is due. Never while a poll is under way: its jobs would look lost. Raises nothing.

        The `last` time no pause is kept after a failure, as nobody asks later.
        """
        if not self._is_due(keeps_pause=not last):
            return
        # Known before or after: a job whose result is delivered meanwhile is in neither list alone.
        known = self._dispatcher.known_job_ids
        try:
            claimed = await self._engine.claimed_jobs(worker_uuid, ANSWER_SECONDS)
        except EngineError as error:
            self._failed(error)
            return
        self._forget_what_was_due()
        self._backoff.reset()
        self._not_before, self._failing_since = -math.inf, None
        self._told.clear()
        known |= self._dispatcher.known_job_ids
        lost = [job for job in claimed if job.job_id not in known]
        if lost:
            tell(_log, ClaimsLost(jobs=len(lost)))
            await self._dispatcher.report_lost(lost, worker_uuid, by_the_last_run=self._of_the_last_run)
        self._of_the_last_run = False

    def _failed(self, error: EngineError) -> None:
        now = self._clock()
        suspected = now >= min(self._look_at, self._second_look_at)
        if error.retryable:
            self._not_before = now + self._backoff.next_pause(error.retry_after_seconds)
            self._failing_since = now if self._failing_since is None else self._failing_since
            if now >= self._suspected_until:
                self._forget_what_was_due()
            # An engine that answers nothing at all is told by the polls.
            answers_others = self._answering.since(self._failing_since)
            if suspected and answers_others and self._backoff.failures >= TOLD_AFTER_FAILURES:
                self._tell(error, "It is asked again.")
            return
        self._forget_what_was_due()
        if suspected:
            self._tell(
                error,
                "Give a token that may read jobs (--engine-token-file)."
                if error.status in _NOT_ALLOWED
                else "This engine can't tell.",
            )

    def _tell(self, error: EngineError, advice: str) -> None:
        if advice not in self._told:
            self._told.add(advice)
            tell(_log, ClaimsUnknown(reason=str(error), advice=advice))

    def _is_due(self, *, keeps_pause: bool) -> bool:
        due_at = min(self._look_at, self._second_look_at, self._regular_look_at)
        not_before = self._not_before if keeps_pause else -math.inf
        return self._knows_the_last_run() and self._clock() >= max(due_at, not_before)

    def _forget_what_was_due(self) -> None:
        now = self._clock()
        if self._look_at <= now:
            self._look_at = math.inf
        if self._second_look_at <= now:
            self._second_look_at = math.inf
        self._regular_look_at = now + REGULAR_LOOK_SECONDS
