"""Facts for a block about the job in which it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JobMeta:
    """Facts about the running job. `run(params, context, meta)` gets them."""

    job_id: str
    """The engine's id of the job, as in the logs."""

    block_id: str
    """`package/name:1.0.0`."""

    step_label: str | None
    """The workflow's name for the step; None if it has none."""

    deadline: float | None
    """When the job is cancelled: seconds of `time.monotonic()`. On Linux this clock is the same in all processes of
    a machine. None means no time limit. `remaining_seconds` says how long that is from now."""

    job_directory: Path
    """The working directory, `HOME` and `TMPDIR` of this job alone; an absolute path. It is removed after the job."""

    def remaining_seconds(self) -> float | None:
        """Seconds left until the deadline, 0.0 if it has passed, None if there is none."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - time.monotonic())

    @classmethod
    def detached(cls, block_id: str) -> JobMeta:
        """The meta for a block that is called directly, without a job: in a test or a notebook."""
        return cls(
            job_id="detached", block_id=block_id, step_label=None, deadline=None, job_directory=Path.cwd()
        )
