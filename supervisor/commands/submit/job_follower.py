"""Follows a job from its submission to its result: its state, and what it logs meanwhile."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from supervisor.commands.local.worker_lines import Line, read_line
from supervisor.commands.local.worker_log import Follower
from supervisor.engine.submission import Submissions
from supervisor.errors import EngineError, SupervisorError

_LOOK_SECONDS: Final = 0.2
_LATE_SECONDS: Final = 2.0
_AWAY_SECONDS: Final = 30.0
"""How long an engine may be away while this waits for a result."""


class WaitedTooLongError(SupervisorError, TimeoutError):
    """There is no result yet. `job` is what the engine knows of it."""

    def __init__(self, job: dict[str, Any]) -> None:
        super().__init__(str(job.get("jobId")))
        self.job = job


class JobLines:
    """The lines of one job in the log of a worker on this machine; none if that log is not known."""

    def __init__(self, follower: Follower | None) -> None:
        self._follower = follower
        self._causes: dict[str, str] = {}

    def new(self, job_id: str) -> list[Line]:
        """Return the lines that the job has logged since the last call."""
        if self._follower is None:
            return []
        lines = [read_line(text) for text in self._follower.new_lines()]
        self._causes |= {ended.job: ended.cause for line in lines if (ended := line.ended)}
        return [line for line in lines if line.fact("job") == job_id]

    async def cause_of(self, job_id: str, on_line: Callable[[Line], None]) -> str | None:
        """Return the cause of a job's end. The engine may know of the end a moment before the log does.

        `None` if the worker's log is not known, or does not have it in time.
        """
        end = time.monotonic() + (_LATE_SECONDS if self._follower else 0.0)
        while (cause := self._causes.get(job_id)) is None and time.monotonic() < end:
            for line in self.new(job_id):
                on_line(line)
            await asyncio.sleep(_LOOK_SECONDS / 10)
        return cause

    def close(self) -> None:
        """Close the log."""
        if self._follower is not None:
            self._follower.close()


async def follow(
    engine: Submissions,
    job_id: str,
    lines: JobLines,
    *,
    timeout_seconds: float | None,
    on_line: Callable[[Line], None],
    on_status: Callable[[dict[str, Any], float], None],
) -> dict[str, Any]:
    """Wait for the job's result and return the job as the engine has it.

    `on_status` is called again and again with what the engine knows of the job and the seconds waited so far. Raises
    `EngineError`, and `WaitedTooLongError` after `timeout_seconds`. The job goes on then, and also if this is
    cancelled.
    """
    began = heard = time.monotonic()
    job: dict[str, Any] = {}
    while True:
        try:
            job, heard = await engine.job(job_id), time.monotonic()
        except EngineError as error:
            # An engine that is being restarted has kept the job.
            if not error.retryable or time.monotonic() - heard > _AWAY_SECONDS:
                raise
        for line in lines.new(job_id):
            on_line(line)
        waited = time.monotonic() - began
        if job.get("status") == "pushed":
            return job
        if timeout_seconds is not None and waited >= timeout_seconds:
            raise WaitedTooLongError(job)
        on_status(job, waited)
        await asyncio.sleep(_LOOK_SECONDS)
