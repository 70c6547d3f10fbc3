"""What a poll has brought: which of it is new, and what the journal keeps of it."""

import logging
import time
from collections.abc import Collection, Sequence

from supervisor.engine.items import MalformedJob
from supervisor.job.job import Job
from supervisor.journal import Claim
from supervisor.journal.records import digest_of
from supervisor.log.event import tell
from supervisor.log.events.jobs import JobRepeated, JobWithoutId

_log = logging.getLogger(__name__)


def without_repeats(items: Sequence[Job | MalformedJob], active: Collection[str]) -> list[Job | MalformedJob]:
    """Return the jobs to deal with; `active` are the ids of those that wait or run. Logs what is left out."""
    chosen: dict[str, Job | MalformedJob] = {}
    for item in items:
        if item.job_id is None:
            tell(_log, JobWithoutId(reason=getattr(item, "reason", "")))
        elif item.job_id in chosen or item.job_id in active:
            # One claim, one run. A later claim of an id, after its result, is the engine's retry and is run.
            tell(_log, JobRepeated(job=item.job_id))
        else:
            chosen[item.job_id] = item
    return list(chosen.values())


def claim_of(item: Job | MalformedJob, worker_uuid: str, digest_key: bytes) -> Claim:
    """Return what the journal keeps of a job: never its parameters."""
    if isinstance(item, MalformedJob):
        return Claim(item.job_id or "", "", worker_uuid, time.time(), "")
    digest = digest_of(item.parameters, digest_key)
    return Claim(item.job_id, item.block_id, worker_uuid, time.time(), digest)
