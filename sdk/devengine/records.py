"""The engine's data in the form in which it returns them: frozen records, times in epoch seconds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from sdk.devengine.identifiers import BlockId
from sdk.devengine.rules import WorkerState

JobStatus = Literal["pending", "polled", "pushed"]
ResultStatus = Literal["success", "failed"]
Finisher = Literal["worker", "engine"]


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job.

    `item_text` is the job as a poll hands it out, `result_text` the result exactly as received. `repr` shows neither,
    because a job's context holds device passwords. `attempts` counts the claims. `finished_by` is "worker"; or "engine"
    for a job that failed because its worker was lost or it was stuck.
    """

    job_id: str
    block: str
    step_label: str | None
    type: str
    run_on: str
    entity_id: float | None
    status: JobStatus
    result_status: ResultStatus | None
    worker_id: str | None
    attempts: int
    created_at: float
    updated_at: float
    claimed_at: float | None
    finished_at: float | None
    finished_by: Finisher | None
    item_text: str = field(repr=False)
    result_text: str | None = field(repr=False)

    @property
    def item(self) -> Any:
        """The job as a poll hands it out, parsed (a new object at each call)."""
        return json.loads(self.item_text)

    @property
    def result(self) -> dict[str, Any] | None:
        """The whole result body, parsed (a new object at each call); None until there is one."""
        return None if self.result_text is None else json.loads(self.result_text)


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An earlier attempt of a job that the retry rule put back to pending."""

    attempt: int
    worker_id: str | None
    claimed_at: float | None
    finished_at: float
    finished_by: Finisher
    result_text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """One registration of a worker. `last_ping_at` is 0.0 (the epoch) after unregistering."""

    uuid: str
    version: str
    name: str | None
    ip_address: str | None
    state: WorkerState
    last_ping_at: float
    last_seen_at: float
    created_at: float
    updated_at: float
    deleted_at: float | None


@dataclass(frozen=True, slots=True)
class RegistrationRecord:
    """One registered block; `body` is the registration as received, without the worker's id."""

    block: BlockId
    body: dict[str, Any]
    worker_ids: tuple[str, ...]
    created_at: float
    updated_at: float

    @property
    def repeatable(self) -> bool:
        """Whether a failed job of this block may be run again (engine contract: retries)."""
        return bool(self.body.get("isPure")) or bool(self.body.get("isIdempotent"))

    @property
    def sensitive_parameters(self) -> tuple[tuple[str, ...], ...]:
        """The paths of the parameters that must not be shown; `*` is every element and every key."""
        return tuple(map(tuple, self.body.get("sensitiveParameters") or ()))


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log entry that a worker sent for a job; `received_at` is the engine's time."""

    workflow_id: str
    job_id: str
    block: str
    entry: str
    level: str
    timestamp: str
    received_at: float
