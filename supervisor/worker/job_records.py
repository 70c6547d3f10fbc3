"""What people can read about this worker's jobs: the logs of running ones, and how the others ended."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from supervisor.job.result import Finished
from supervisor.journal.ended_jobs.ended_job import EndedJob
from supervisor.journal.ended_jobs.files import ENDED_JOBS
from supervisor.journal.ended_jobs.masked_result import NotMaskedError, masked_result
from supervisor.journal.ended_jobs.running_log import RunningLog
from supervisor.journal.ended_jobs.store import EndedJobs
from supervisor.log.event import Event, tell
from supervisor.log.events.ended_jobs import ResultNotKept
from supervisor.log.events.jobs import JobStarted
from supervisor.settings.run_settings import DaemonSettings
from supervisor.verdict import Cause, Verdict
from supervisor.worker.claimed_jobs import ClaimedJob

_log = logging.getLogger(__name__)

_FIGURES: Final = (
    *("slot", "pid", "seconds", "limit_seconds", "cpu_seconds", "peak_memory_mb", "peak_processes"),
    *("exit_code", "signal", "where"),
)
"""The facts that are kept of the event of a job's end, under the same names."""


@dataclass(frozen=True, slots=True)
class CancelDemand:
    """Who has cancelled a job, and when, in seconds since the epoch."""

    by: str
    at: float


class JobRecords:
    """Keeps a log in memory for each running job, and passes it on to be kept when the job is over.

    `kept` stores it; `None` stores nothing. `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        kept: EndedJobs | None = None,
        *,
        keep_results: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.kept = kept
        self._keep_results = keep_results
        self._clock = clock
        self._running: dict[str, ClaimedJob] = {}
        self._cancelled: dict[str, CancelDemand] = {}

    def begin(self, claimed: ClaimedJob) -> None:
        """Note a job that has a slot."""
        self._running[claimed.job.job_id] = claimed

    def started(self, claimed: ClaimedJob, slot: int, pid: int) -> None:
        """Note that it has its child."""
        job = claimed.job
        event = JobStarted(job=job.job_id, block=job.block_id, slot=slot, pid=pid)
        tell(_log, event)
        claimed.log.tell(event)

    def running_log(self, job_id: str) -> RunningLog | None:
        """Return the log of a running job."""
        claimed = self._running.get(job_id)
        return None if claimed is None else claimed.log

    def cancelled(self, job_id: str, by: str) -> None:
        """Note who has cancelled a job that has not ended. The first one stays."""
        self._cancelled.setdefault(job_id, CancelDemand(by, self._clock()))

    def cancel_demand(self, job_id: str) -> CancelDemand | None:
        """Return who has cancelled a job that has not ended yet."""
        return self._cancelled.get(job_id)

    async def end(
        self,
        claimed: ClaimedJob,
        finished: Finished,
        told: Sequence[Event] | Callable[[], Sequence[Event]],
    ) -> None:
        """Keep a job that is over, and whose result the delivery has. `told` are the events of its end, or logs them;
        the first one has the figures.

        Waits for the delivery's turn, and for the masking of a result that must be kept.
        """
        job, log = claimed.job, claimed.log
        # At once: a later cancellation of this job id means the engine's retry.
        demand = self._cancelled.pop(job.job_id, None)
        # The delivery sends the result in the loop's next turn, before this continues. Otherwise this would delay it.
        await asyncio.sleep(0)
        events = told() if callable(told) else told
        for event in events:
            log.tell(event)
        result = await self._result_of(job.job_id, finished)
        log.close()
        if self._running.get(job.job_id) is claimed:
            del self._running[job.job_id]
        if self.kept is not None:
            ended = _ended(claimed, finished, events[0], self._clock())
            self.kept.keep(_with_demand(ended, demand), log, result)

    def has_succeeded(self, job_id: str) -> bool:
        """Whether a job with this id is known to have ended with success: the engine never tries it again."""
        return self.kept is not None and self.kept.outcome_of(job_id) == "success"

    def not_run(self, job_id: str, block: str | None, verdict: Verdict) -> None:
        """Keep a job that was not run."""
        demand = self._cancelled.pop(job_id, None)
        if self.kept is not None:
            outcome, cause = verdict.status, verdict.cause.value
            ended = EndedJob(job_id, block, outcome, cause, verdict.message, self._clock())
            self.kept.keep(_with_demand(ended, demand))

    async def close(self) -> None:
        """Write the waiting jobs, if the disk takes them in time."""
        if self.kept is not None:
            await self.kept.close()

    async def _result_of(self, job_id: str, finished: Finished) -> bytes:
        if not (self._keep_results and self.kept and finished.verdict.keeps_outcome and finished.body):
            return b""
        mask, body = finished.mask, finished.body
        if mask is None:
            return b""
        try:
            masked, _ = await mask.do(lambda effort: masked_result(body, mask.mask, effort), bytes)
        except NotMaskedError as error:
            tell(_log, ResultNotKept(job=job_id, reason=str(error)))
            return b""
        if not masked:
            tell(_log, ResultNotKept(job=job_id, reason="to search them for secrets takes too long"))
        return masked


def records_of(settings: DaemonSettings) -> JobRecords:
    """Return the records of a worker. They begin to look for what earlier runs have kept.

    Raises `StartRefusedError` if a thread can't be started.
    """
    if not settings.keep_jobs:
        return JobRecords()
    kept = EndedJobs(settings.state_dir / ENDED_JOBS, settings.keep_jobs)
    kept.begin()
    return JobRecords(kept, keep_results=settings.keep_results)


def _with_demand(ended: EndedJob, demand: CancelDemand | None) -> EndedJob:
    """Return an ended job with the user who has cancelled it, unless it has ended otherwise."""
    if demand is None or ended.cause != Cause.CANCELLED:
        return ended
    return replace(ended, cancelled_by=demand.by, cancelled_at=demand.at)


def _ended(claimed: ClaimedJob, finished: Finished, told: Event, now: float) -> EndedJob:
    job, verdict = claimed.job, finished.verdict
    figures: dict[str, Any] = {name: told.facts[name] for name in _FIGURES if name in told.facts}
    return EndedJob(
        job_id=job.job_id,
        block=job.block_id,
        outcome=verdict.status,
        cause=verdict.cause.value,
        message=verdict.message,
        ended_at=now,
        started_at=claimed.started_at,
        step=job.step_label,
        warning=verdict.warning,
        parameters_digest=claimed.claim.digest or None,
        result_bytes=len(finished.body) if verdict.keeps_outcome else 0,
        **figures,
    )
