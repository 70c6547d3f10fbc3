"""The jobs from polls, from their claim to their verdict, and the callers that wait for the verdict."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from supervisor.engine.items import MalformedJob
from supervisor.job.job import Job
from supervisor.journal import SAVED, Claim, Saving
from supervisor.journal.ended_jobs.running_log import RunningLog
from supervisor.journal.records import digest_of
from supervisor.log.event import tell
from supervisor.log.events.jobs import JobRepeated, JobWithoutId
from supervisor.verdict import Verdict, refusals

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class ClaimedJob:
    """A job that waits for a slot, or has one. A value that is not known yet is `None`."""

    job: Job
    claim: Claim
    number: int
    """The claim's number in the journal."""
    waits_since: float
    """When it came, in seconds of the monotonic clock."""
    saving: Saving = SAVED
    """The write of its claim. The claim must be on the disk before the job may begin."""
    arrival_seconds: float = 0.0
    """How long its poll took. The engine may have claimed it so long before it came."""
    log: RunningLog = field(default_factory=RunningLog)
    """Its lines, once it runs."""
    slot: int | None = None
    pid: int | None = None
    """Its child's pid."""
    started_at: float | None = None
    """When it got its child, in seconds since the epoch."""
    runs_since: float | None = None
    """The same, in seconds of the monotonic clock."""
    is_reported: bool = False
    """Whether its result is on its way. After that the engine may hand its job out again."""

    def start(self, pid: int, now: float) -> None:
        """It has got its child, at `now` of the monotonic clock."""
        self.pid, self.started_at, self.runs_since = pid, time.time(), now

    def expired(self, now: float, max_concurrent: int | None = None) -> Verdict:
        """Return the verdict if its time is up; see `refusals.expired`."""
        return refusals.expired(now - self.waits_since, self.arrival_seconds, max_concurrent)


def without_repeats(items: Sequence[Job | MalformedJob], active: Container[str]) -> list[Job | MalformedJob]:
    """Return the jobs to handle; `active` are the ids of jobs without a result. Logs the repeated ones."""
    chosen: dict[str, Job | MalformedJob] = {}
    for item in items:
        if item.job_id is None:
            tell(_log, JobWithoutId(reason=getattr(item, "reason", "")))
        elif item.job_id in chosen or item.job_id in active:
            # One claim, one run. If an id is claimed again after its result, it is the engine's retry, and is run.
            tell(_log, JobRepeated(job=item.job_id))
        else:
            chosen[item.job_id] = item
    return list(chosen.values())


def claim_of(item: Job | MalformedJob, worker_uuid: str, digest_key: bytes) -> Claim:
    """Return what the journal stores of a job: never its parameters."""
    if isinstance(item, MalformedJob):
        return Claim(item.job_id or "", "", worker_uuid, time.time(), "")
    digest = digest_of(item.parameters, digest_key)
    return Claim(item.job_id, item.block_id, worker_uuid, time.time(), digest)


class OpenJobs:
    """Jobs from claim to verdict. It costs a job one entry in a dictionary, unless somebody waits for it."""

    def __init__(self) -> None:
        self._verdicts: dict[str, asyncio.Future[Verdict] | None] = {}

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._verdicts

    def enter(self, job_id: str) -> None:
        """A job was claimed."""
        self._verdicts[job_id] = None

    def verdict_of(self, job_id: str) -> "asyncio.Future[Verdict]":
        """Return the future verdict of an open job. All callers get the same future: await it shielded.

        It is cancelled if a bug of this worker ended the job before its result.
        """
        verdict = self._verdicts[job_id]
        if verdict is None:
            verdict = self._verdicts[job_id] = asyncio.get_running_loop().create_future()
        return verdict

    def leave(self, job_id: str) -> None:
        """A job is over. If it has no verdict, it has met a bug: nobody waits for it any more."""
        if (told := self._verdicts.pop(job_id, None)) is not None:
            told.cancel()

    @contextlib.contextmanager
    def concluded(self, job_id: str, verdict: Verdict) -> Iterator[None]:
        """The verdict is final. Callers that wait for it get it when the context ends."""
        told = self._verdicts.pop(job_id, None)
        try:
            yield
        except BaseException:
            if told is not None:
                told.cancel()
            raise
        if told is not None and not told.done():
            told.set_result(verdict)
