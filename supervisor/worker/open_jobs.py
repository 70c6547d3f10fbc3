"""The jobs that were claimed and have no verdict yet, and who waits for theirs."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from supervisor.job.job import Job
from supervisor.journal import SAVED, Saving
from supervisor.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that waits for a slot, or has one."""

    job: Job
    number: int
    """The claim's number in the journal."""
    digest: str
    """Of the job's parameters, as in the claim."""
    claimed_at: float
    saving: Saving = SAVED
    """That of its claim, which must be on the disk before the job gets its order."""


class OpenJobs:
    """From a claim to the verdict. Costs a job an entry in a dictionary, unless somebody waits for it."""

    def __init__(self) -> None:
        self._verdicts: dict[str, asyncio.Future[Verdict] | None] = {}

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._verdicts

    def enter(self, job_id: str) -> None:
        """A job was claimed."""
        self._verdicts[job_id] = None

    def verdict_of(self, job_id: str) -> "asyncio.Future[Verdict]":
        """Return the verdict to come of an open job. All who ask get the same future: await it shielded.

        It is cancelled where the job met a bug of this worker on the way to its result.
        """
        verdict = self._verdicts[job_id]
        if verdict is None:
            verdict = self._verdicts[job_id] = asyncio.get_running_loop().create_future()
        return verdict

    def leave(self, job_id: str) -> None:
        """A job is over. One that has no verdict has met a bug: nobody waits for it any more."""
        if (told := self._verdicts.pop(job_id, None)) is not None:
            told.cancel()

    @contextlib.contextmanager
    def concluded(self, job_id: str, verdict: Verdict) -> Iterator[None]:
        """The verdict stands: nobody can change it any more. Who waits for it gets it when the context ends."""
        told = self._verdicts.pop(job_id, None)
        try:
            yield
        except BaseException:
            if told is not None:
                told.cancel()
            raise
        if told is not None and not told.done():
            told.set_result(verdict)
