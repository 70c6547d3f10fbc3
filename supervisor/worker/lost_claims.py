"""Jobs that the engine gave to this worker but that never arrived.

A poll is the claim (contract W5). If its answer is lost on the way, the engine counts its jobs as this worker's, and
waits for their results until it gives them up, twelve minutes later. So the worker asks the engine which jobs it has
given away, and reports those that did not arrive as failed at once.
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
"""When to ask the engine once more: it may carry out a request a little later that was cut off here."""

REGULAR_LOOK_SECONDS: Final = 60.0
"""How often to ask in any case: a proxy that sends a poll twice claims jobs, and nothing fails."""

ANSWER_SECONDS: Final = 3.0
"""How long to wait for the engine's list. It can be asked for again; meanwhile the worker does not poll."""

LONGEST_PAUSE_SECONDS: Final = 10.0
"""How long not to ask after the engine has failed to answer: the worker does not poll while it asks."""

TOLD_AFTER_FAILURES: Final = 3
"""If the engine answers other requests, the log reports it after so many failures."""

_NOT_ALLOWED: Final = frozenset({401, 403})


def may_have_claimed(error: EngineError) -> bool:
    """Whether the engine may have handed out jobs for a poll that failed like this.

    No answer, an answer that can't be read, or a server error after the commit. A 4xx is a clear no.
    """
    return error.status is None or error.status < 300 or error.status >= 500


class LostClaims:
    """Finds and reports them. `clock` is the loop's, and is replaced in tests.

    `knows_the_last_run`: whether the dispatcher knows the jobs of the run before this one. Only then is a job lost that
    the engine lists and the dispatcher does not know. Before that, the journal may hold a success of it (I8).

    A suspicion that can't be checked ends after `engine_job_timeout_seconds`: by then the engine has given the jobs up.
    `answering` knows when the engine last answered anything.
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
        """Which advice was given since the engine's last answer."""
        self._of_the_last_run = False

    def suspect_the_last_run(self) -> None:
        """Ask before the first poll: the run before this one may have been killed before it wrote jobs down."""
        self._of_the_last_run = True
        self.suspect()

    def suspect(self) -> None:
        """Ask before the next poll, and once more later: a poll has failed."""
        now = self._clock()
        self._look_at = now
        self._second_look_at = now + SECOND_LOOK_SECONDS
        self._suspected_until = now + self._engine_job_timeout

    @property
    def are_suspected(self) -> bool:
        """Whether a poll has failed, and the engine has not said yet which jobs it gave away for it."""
        return self._look_at < math.inf and self._clock() < self._suspected_until

    async def look(self, worker_uuid: str, *, last: bool = False) -> None:
        """Ask if it is due. Never call it while a poll is under way: its jobs would look lost. Raises nothing.

        The `last` call keeps no pause after a failure, because nobody asks later.
        """
        if not self._is_due(keeps_pause=not last):
            return
        # Jobs known before or after: a job whose result is delivered meanwhile is only in one of the two lists.
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
            # If the engine answers nothing at all, the polls report that.
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
