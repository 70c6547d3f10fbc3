"""The jobs that this worker has now, waiting or running, in the form for people who ask."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from supervisor.job.view import JobView
from supervisor.worker.claimed_jobs import ClaimedJob

WAITING: Final = "waiting"
STARTING: Final = "starting"


@dataclass(frozen=True, slots=True)
class RunningJob:
    """One job. Times are seconds since the epoch. A value that is not known yet is `None`."""

    job_id: str
    block: str
    state: str
    """`waiting` (for a slot), `starting` (for its child), `running`, `cancelling`, `ending`, `killing`, or
    `reporting`: its result is being stored."""
    slot: int | None
    pid: int | None
    claimed_at: float
    started_at: float | None
    seconds: float
    """Since its start; if it waits, since its claim."""
    limits: dict[str, Any] = field(default_factory=dict)
    memory_bytes: int | None = None
    cpu_seconds: float | None = None
    processes: int | None = None
    """Processes and threads."""
    stalled_seconds: float | None = None
    last_line: str = ""


class RunningJobs:
    """The dispatcher's jobs by their ids, and what is known of each. `clock` is monotonic, in seconds."""

    def __init__(
        self, view: Callable[[str], JobView | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._view = view
        self._clock = clock
        self._jobs: dict[str, ClaimedJob] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job_id: object) -> bool:
        """Whether a job with this id has no result yet. A job that comes after its result is the engine's retry."""
        claimed = self._jobs.get(job_id) if isinstance(job_id, str) else None
        return claimed is not None and not claimed.is_reported

    def enter(self, claimed: ClaimedJob) -> None:
        """A job was claimed, and waits for a slot. A retry replaces an earlier try that is still being cleaned up."""
        self._jobs[claimed.job.job_id] = claimed

    def leave(self, claimed: ClaimedJob) -> None:
        """Its slot is free."""
        if self._jobs.get(claimed.job.job_id) is claimed:
            del self._jobs[claimed.job.job_id]

    def ids(self) -> list[str]:
        """Return the ids of all."""
        return list(self._jobs)

    def listed(self) -> list[RunningJob]:
        """Return all, in the order of their claims. Reads no file."""
        return [self._job(claimed) for claimed in self._jobs.values()]

    def find(self, job_id: str) -> RunningJob | None:
        """Return one of them."""
        claimed = self._jobs.get(job_id)
        return None if claimed is None else self._job(claimed)

    def _job(self, claimed: ClaimedJob) -> RunningJob:
        view = self._view(claimed.job.job_id)
        known: dict[str, Any] = {}
        if view is not None:
            sample = view.sample
            known = {
                "limits": _limits(view),
                "memory_bytes": None if sample is None else int(sample.memory_mb * 2**20),
                "cpu_seconds": None if sample is None else sample.cpu_seconds,
                "processes": None if sample is None else sample.threads,
                "stalled_seconds": view.stalled_seconds,
                "last_line": view.last_line,
            }
        since = claimed.waits_since if claimed.runs_since is None else claimed.runs_since
        return RunningJob(
            claimed.job.job_id,
            claimed.job.block_id,
            _state(claimed, view),
            claimed.slot,
            claimed.pid,
            claimed.claim.claimed_at,
            claimed.started_at,
            self._clock() - since,
            **known,
        )


def _state(claimed: ClaimedJob, view: JobView | None) -> str:
    if view is not None:
        return view.state
    if claimed.slot is None:
        return WAITING
    return STARTING if claimed.pid is None else "reporting"


def _limits(view: JobView) -> dict[str, Any]:
    limits = view.limits
    return {
        "seconds": limits.max_seconds,
        "memory_bytes": None if limits.memory_mb is None else int(limits.memory_mb * 2**20),
        "cpu_seconds": limits.cpu_seconds,
        "processes": limits.processes,
        "stall_seconds": limits.stall_seconds,
    }
