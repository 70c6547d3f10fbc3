"""Each claim of a job with what is known of it, and whether anybody could have reported it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sdk.devengine import JobRecord
from tests.programs.chaos.history import Deed, History, Run, was_told

_WRITING_SECONDS: Final = 0.5
"""From an answer's last byte to the claim's row on the disk, on a machine that is busy."""

_CLOCK_SECONDS: Final = 0.005
"""The engine stamps with another clock, which is compared once."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt of a job. Times are CLOCK_MONOTONIC."""

    job: JobRecord
    number: int
    worker_id: str | None
    claimed_at: float
    finished_at: float
    finished_by: str
    result_text: str


def claims_of(history: History, job: JobRecord) -> Iterator[Claim]:
    """Yield the attempts of a job, the last one only if it is final."""
    for attempt in history.attempts[job.job_id]:
        yield Claim(
            job,
            attempt.attempt,
            attempt.worker_id,
            (attempt.claimed_at or 0.0) - history.epoch,
            attempt.finished_at - history.epoch,
            attempt.finished_by,
            attempt.result_text,
        )
    if job.claimed_at and job.finished_at and job.finished_by and job.result_text:
        yield Claim(
            job,
            job.attempts,
            job.worker_id,
            job.claimed_at - history.epoch,
            job.finished_at - history.epoch,
            job.finished_by,
            job.result_text,
        )


def runs_of(history: History, claim: Claim) -> list[Run]:
    """Return what ran of one claim, by the time: the block began after the claim, and before the next one."""
    return [
        run
        for run in history.runs
        if run.job_id == claim.job.job_id and claim.claimed_at - _CLOCK_SECONDS <= run.at <= claim.finished_at
    ]


def unknowable(history: History, claim: Claim) -> str | None:
    """Say why the engine had to end this claim itself, or return `None`: then the worker has lost a result."""
    polls = [
        poll
        for poll in history.polls.get(claim.job.job_id, [])
        if claim.claimed_at - 1 <= (poll.answered or poll.arrived) and poll.arrived <= claim.claimed_at + 1
    ]
    told = [poll for poll in polls if was_told(poll, claim.job.job_id)]
    answered = [poll.answered for poll in told if poll.answered is not None]
    if not answered:
        return "the poll's answer was lost"
    ran = runs_of(history, claim)
    window = _WRITING_SECONDS + history.stood_still(answered[0], answered[0] + 5)
    window += sum(deed.until - deed.at for deed in _near(history, answered[0], "stop supervisor"))
    # From the question on: an answer is written all the same to a worker that has been killed since it asked.
    killed = history.deeds_between(told[0].arrived, answered[0] + window, "kill supervisor", "kill keeper")
    if killed and not ran:
        return "killed before the claim was written down"
    if _disowned(history, claim):
        return "the engine was made to disown the worker"
    if history.deeds_between(answered[0] - 1, answered[0] + 1, "disk full") and history.deeds_between(
        answered[0], claim.finished_at, "kill supervisor", "kill keeper"
    ):
        return "killed while the disk was full"
    return None


def _near(history: History, at: float, word: str) -> list[Deed]:
    return history.deeds_between(at - 1, at + 1, word)


def _disowned(history: History, claim: Claim) -> bool:
    """Whether the worker was told, while it held the job, that the engine does not know it."""
    return any(
        exchange.status == 404 and claim.claimed_at - 1 <= (exchange.answered or 0.0) <= claim.finished_at
        for exchange in history.exchanges
        if exchange.route in ("ping", "poll")
    )
