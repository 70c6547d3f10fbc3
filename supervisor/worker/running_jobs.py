"""The jobs that this worker has now, waiting or running, as those see them who ask."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from supervisor.job.view import JobView

WAITING: Final = "waiting"
STARTING: Final = "starting"


@dataclass(frozen=True, slots=True)
class RunningJob:
    """One job. Times are seconds since the epoch, what is not known yet is `None`."""

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
    """Since it was started, or claimed where it waits."""
    limits: dict[str, Any] = field(default_factory=dict)
    memory_bytes: int | None = None
    cpu_seconds: float | None = None
    processes: int | None = None
    """Processes and threads."""
    stalled_seconds: float | None = None
    last_line: str = ""


@dataclass(slots=True)
class _Record:
    block: str
    claimed_at: float
    slot: int | None = None
    pid: int | None = None
    started_at: float | None = None


class RunningJobs:
    """What the dispatcher notes of each job that it has. Costs a few assignments for a job.

    `clock` is in seconds since the epoch.
    """

    def __init__(self, view: Callable[[str], JobView | None], clock: Callable[[], float] = time.time) -> None:
        self._view = view
        self._clock = clock
        self._records: dict[str, _Record] = {}

    def __len__(self) -> int:
        return len(self._records)

    def claimed(self, job_id: str, block: str) -> None:
        """A job was claimed, and waits for a slot."""
        self._records[job_id] = _Record(block, self._clock())

    def placed(self, job_id: str, slot: int) -> None:
        """It has a slot."""
        if record := self._records.get(job_id):
            record.slot = slot

    def started(self, job_id: str, pid: int) -> None:
        """It has a child."""
        if record := self._records.get(job_id):
            record.pid, record.started_at = pid, self._clock()

    def ended(self, job_id: str) -> None:
        """Its result is in the journal."""
        self._records.pop(job_id, None)

    def ids(self) -> list[str]:
        """Return the ids of them all."""
        return list(self._records)

    def listed(self) -> list[RunningJob]:
        """Return them all, in the order in which they were claimed. Reads no file."""
        return [self._job(job_id, record) for job_id, record in self._records.items()]

    def find(self, job_id: str) -> RunningJob | None:
        """Return one of them."""
        record = self._records.get(job_id)
        return None if record is None else self._job(job_id, record)

    def _job(self, job_id: str, record: _Record) -> RunningJob:
        view = self._view(job_id)
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
        since = record.claimed_at if record.started_at is None else record.started_at
        return RunningJob(
            job_id,
            record.block,
            _state(record, view),
            record.slot,
            record.pid,
            record.claimed_at,
            record.started_at,
            max(0.0, self._clock() - since),
            **known,
        )


def _state(record: _Record, view: JobView | None) -> str:
    if view is not None:
        return view.state
    if record.slot is None:
        return WAITING
    return STARTING if record.pid is None else "reporting"


def _limits(view: JobView) -> dict[str, Any]:
    limits = view.limits
    return {
        "seconds": limits.max_seconds,
        "memory_bytes": None if limits.memory_mb is None else int(limits.memory_mb * 2**20),
        "cpu_seconds": limits.cpu_seconds,
        "processes": limits.processes,
        "stall_seconds": limits.stall_seconds,
    }
