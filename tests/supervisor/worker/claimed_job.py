"""Claimed jobs for tests."""

from supervisor.job.job import Job
from supervisor.journal import Claim
from supervisor.worker.claimed_jobs import ClaimedJob


def claimed_job(job_id: str, at: float = 0.0, waits_since: float = 0.0) -> ClaimedJob:
    """Return a job that was claimed `at` this time, in seconds since the epoch; and by the monotonic clock."""
    job = Job(job_id, "acme/ping:1.0.0", "execute", "global", {}, {})
    return ClaimedJob(job, Claim(job_id, job.block_id, "w-1", at, "digest"), 1, waits_since)
