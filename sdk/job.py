"""What a block may know about the job it runs in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JobMeta:
    """Facts about the running job, handed to ``run(params, context, meta)``.

    ``deadline`` is a stamp of ``time.monotonic()`` in seconds; on Linux that clock is the same in all
    processes of a machine. None means no time limit. ``job_directory`` belongs to this job alone and is
    removed after it.
    """

    job_id: str
    block_id: str
    step_label: str | None
    deadline: float | None
    job_directory: Path

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
