"""One job for one caller: in a child, under limits, to a verdict, with all that it said."""

import itertools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.blockserver.printed import Printed, collecting
from supervisor.jobs import Concluded, Job, JobLimits, JobRunner
from supervisor.launcher import Launcher
from supervisor.settings import RunSettings

_numbers: Final = itertools.count(1)


def next_job_id() -> str:
    """Return an id that no other job of this process has."""
    return f"{os.getpid()}-{next(_numbers)}"


@dataclass(frozen=True, slots=True)
class Done:
    """A job's verdict, and what it logged and printed."""

    concluded: Concluded
    printed: Printed


class SingleRun:
    """Runs one job as the daemon does, by the daemon's own `JobRunner`. Create, `run` once; `stop` in between."""

    def __init__(self, launcher: Launcher, limits: JobLimits) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="neops-job-", ignore_cleanup_errors=True)
        # No spares: one child, started when it is asked for, is all that is needed.
        self._runner = JobRunner(launcher, limits, Path(self._directory.name), spares=0)

    async def run(self, job: Job, block: BlockEntry) -> Done:
        """Run ``job`` and return when nothing of it is left. Not to be cancelled: call `stop`, the end is bounded."""
        with self._directory, collecting(job.job_id) as printed:
            self._runner.prepare()
            try:
                concluded = await self._runner.run(job, block)
            finally:
                await self._runner.close()
            return Done(concluded, printed)

    def stop(self) -> None:
        """End the job now, with the cause ``worker_stopping``."""
        self._runner.stop_all()


def limits_of(settings: RunSettings) -> JobLimits:
    """Return the limits that these settings mean."""
    return JobLimits(
        max_seconds=settings.max_job_seconds,
        grace_seconds=settings.grace_seconds,
        max_memory_mb=settings.max_job_memory_mb,
        result_cap_bytes=settings.max_result_mb * 2**20,
        log_level=settings.log_level_number,
    )
