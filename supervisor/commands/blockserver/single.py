"""One job for one caller: in a child, under limits, to a verdict, with all its output."""

import asyncio
import itertools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jobrunner.protocol.catalogue import BlockEntry
from supervisor.commands.blockserver.job_output import Printed, collecting
from supervisor.job.job import Job
from supervisor.job.result import Finished
from supervisor.job.runner import JobRunner
from supervisor.launcher import Launcher
from supervisor.process.trees import remove_tree
from supervisor.settings.run_settings import RunSettings

_numbers: Final = itertools.count(1)


def next_job_id() -> str:
    """Return an id that is unique in this process."""
    return f"{os.getpid()}-{next(_numbers)}"


@dataclass(frozen=True, slots=True)
class Done:
    """A job's verdict, and what it logged and printed."""

    finished: Finished
    printed: Printed


class SingleRun:
    """Runs one job as the daemon does, by the daemon's own `JobRunner`. Create, `run` once; `stop` in between."""

    def __init__(self, launcher: Launcher, settings: RunSettings) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="neops-job-"))
        # No spares: it needs only one child, and starts it on request.
        self._runner = JobRunner(launcher, settings, self._directory, spares=0)

    async def run(self, job: Job, block: BlockEntry) -> Done:
        """Run `job` and return when nothing of it is left. Don't cancel it: call `stop`, its end is limited in time."""
        with collecting(job.job_id) as printed:
            try:
                await self._runner.prepare()
                finished = await self._runner.run(job, block)
            finally:
                await self._runner.close()
                await asyncio.to_thread(remove_tree, self._directory)
            return Done(finished, printed)

    def stop(self) -> None:
        """End the job now, with the cause `worker_stopping`."""
        self._runner.stop_all()
