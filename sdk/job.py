"""What a block may know about the job it runs in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JobMeta:
    """Facts about the running job, handed to `run(params, context, meta)`."""

    job_id: str
    """The engine's id of the job, as in the logs."""

    block_id: str
    """`package/name:1.0.0`."""

    step_label: str | None
    """What the workflow calls the step; None when it has no label."""

    deadline: float | None
    """When the job is cancelled: seconds of `time.monotonic()`, a clock that on Linux is the same in all processes of
    a machine. None means no time limit. `remaining_seconds` tells how long that is from now."""

    job_directory: Path
    """The working directory, `HOME` and `TMPDIR` of this job alone, absolute. It is removed after the job."""

    def remaining_seconds(self) -> float | None:
        """Seconds left until the deadline, 0.0 when it has passed, None when there is none."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - time.monotonic())

    @classmethod
    def detached(cls, block_id: str) -> JobMeta:
        """The meta of a block that is called directly, with no job: a test, a notebook."""
        return cls(
            job_id="detached", block_id=block_id, step_label=None, deadline=None, job_directory=Path.cwd()
        )
