"""What workers said of themselves while they worked, beside what the engine knows afterwards. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SLACK_SECONDS: Final = 1.0
"""A job is the worker's before the engine's answer has arrived there, and leaves its slot after the result has."""


@dataclass(frozen=True, slots=True)
class Look:
    """One answer of one worker, asked at `began` (epoch seconds) and answered at `ended`."""

    worker: str
    began: float
    ended: float
    ready: bool
    running: int
    waiting: int
    slots: int
    jobs: frozenset[str]
    """The ids that `jobs` has told, directly afterwards."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the engine has it at the end; times are epoch seconds."""

    id: str
    worker: str | None
    claimed_at: float | None
    finished_at: float | None
    success: bool | None


def wrong_in(look: Look, jobs: Sequence[Job]) -> list[str]:
    """Return what was not true in an answer."""
    wrong = []
    may = {
        job.id
        for job in jobs
        if job.worker == look.worker
        and job.claimed_at is not None
        and job.claimed_at <= look.ended
        and (job.finished_at is None or job.finished_at >= look.began - SLACK_SECONDS)
    }
    if strangers := look.jobs - may:
        wrong.append(f"tells of {len(strangers)} jobs that it has not at that time")
    must = {
        job.id
        for job in jobs
        if job.worker == look.worker
        and job.claimed_at is not None
        and job.claimed_at <= look.began - SLACK_SECONDS
        and (job.finished_at is None or job.finished_at >= look.ended + SLACK_SECONDS)
    }
    if missing := must - look.jobs:
        wrong.append(f"tells nothing of {len(missing)} jobs that it has")
    if look.running > look.slots:
        wrong.append(f"runs {look.running} jobs in {look.slots} slots")
    if look.running + look.waiting > len(may):
        wrong.append(f"counts {look.running + look.waiting} jobs where it has {len(may)} at most")
    if not look.ready:
        wrong.append("says that it is not ready, and takes jobs")
    return wrong


def lost_and_twice(jobs: Sequence[Job], runs: Iterable[str], submitted: int) -> tuple[int, int]:
    """Return how many jobs have no result, and how many have run more than once. `runs`: an id for each run."""
    lost = submitted - sum(job.success is not None for job in jobs)
    return lost, sum(count > 1 for count in Counter(runs).values())


def evenness(jobs: Sequence[Job], workers: Iterable[str]) -> float:
    """Return how evenly the jobs went to the workers (Jain's index): 1 is as even as can be."""
    counts: Mapping[str | None, int] = Counter(job.worker for job in jobs)
    shares = [counts[worker] for worker in workers]
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares) or 1)
