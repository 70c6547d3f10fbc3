"""Records as the JSON of the HTTP answers, with the fields both client generations need (contract §2, §3)."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic.alias_generators import to_camel

from sdk.devengine.records import AttemptRecord, JobRecord, LogRecord, RegistrationRecord, WorkerRecord
from sdk.devengine.request_log import RequestRecord

_MAX_MESSAGE_CHARACTERS = 1000
_MASKED = "***"

Json = dict[str, Any]


def iso(seconds: float | None) -> str | None:
    """Render epoch seconds as the engine writes times: UTC, milliseconds, `Z`."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def worker(record: WorkerRecord) -> Json:
    """Render a worker (`WorkerRegistrationResponseDto`)."""
    optional = {"name": record.name, "ipAddress": record.ip_address}
    return {
        "uuid": record.uuid,
        "version": record.version,
        **{key: value for key, value in optional.items() if value is not None},
        "state": record.state.value,
        "lastPingAt": iso(record.last_ping_at),
        "lastSeenAt": iso(record.last_seen_at),
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "deletedAt": iso(record.deleted_at),
    }


def block(record: RegistrationRecord) -> Json:
    """Render a block (0.42 `RegisterFunctionBlockDto`, 0.43 `FunctionBlockResponseDto`)."""
    defaults = {
        "runOn": "",
        "markdownHelpText": "",
        "deprecated": False,
        "isIdempotent": False,
        "isPure": False,
        "reversible": False,
    }
    stamps = {"createdAt": iso(record.created_at), "updatedAt": iso(record.updated_at), "deletedAt": None}
    return {"id": str(record.block), **defaults, **record.body, **stamps}


def registration(record: RegistrationRecord) -> Json:
    """Render a registration.

    0.42 expects the block itself here, 0.43 an object around it; each client ignores what it does not know.
    """
    return {**block(record), "functionBlock": block(record)}


def job(record: JobRecord, holder: WorkerRecord | None) -> Json:
    """Render a job for the read routes (`JobShowResultDto`); `holder` is the worker that claimed it."""
    result = (record.result or {}).get("result", {})
    message = result.get("message")
    optional = {"stepLabel": record.step_label, "resultStatus": record.result_status}
    return {
        "functionBlockId": record.block,
        "jobId": record.job_id,
        **{key: value for key, value in optional.items() if value is not None},
        "status": record.status,
        "type": record.type,
        "workerId": record.worker_id,
        "workerName": None if holder is None else holder.name,
        "workerDeleted": holder is not None and holder.deleted_at is not None,
        # There are no workflow runs here: each job is its own.
        "workflowExecutionId": record.job_id,
        "entityId": record.entity_id,
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "startedAt": iso(record.claimed_at),
        "finishedAt": iso(record.finished_at),
        "retryCount": max(0, record.attempts - 1),
        "canceled": False,
        "resultMessage": None if message is None else message[:_MAX_MESSAGE_CHARACTERS],
    }


def job_result(record: JobRecord) -> Json:
    """Render the result of a job (`JobResultDataDto`); all fields null until there is one."""
    result = (record.result or {}).get("result", {})
    details = {key: result.get(key) for key in ("message", "data", "retryable")}
    return {"jobId": record.job_id, "resultStatus": record.result_status, **details}


def job_in_full(record: JobRecord, holder: WorkerRecord | None, attempts: list[AttemptRecord]) -> Json:
    """Render everything known of a job, with the passwords of its context masked."""
    item = record.item if isinstance(record.item, dict) else {}
    return {
        **job(record, holder),
        "runOn": record.run_on,
        "parameters": item.get("parameters"),
        "context": _without_passwords(item.get("context")),
        "attempts": record.attempts,
        "finishedBy": record.finished_by,
        "result": record.result,
        "earlierAttempts": [_attempt(attempt) for attempt in attempts],
    }


def log(record: LogRecord) -> Json:
    """Render a log entry: the worker's fields and when it arrived."""
    return {
        "workflowId": record.workflow_id,
        "jobId": record.job_id,
        "functionBlockId": record.block,
        "logEntry": record.entry,
        "logLevel": record.level,
        "timestamp": record.timestamp,
        "receivedAt": iso(record.received_at),
    }


def request(record: RequestRecord) -> Json:
    """Render a recorded request."""
    return {to_camel(name): value for name, value in asdict(record).items()}


def _attempt(record: AttemptRecord) -> Json:
    return {
        "attempt": record.attempt,
        "workerId": record.worker_id,
        "startedAt": iso(record.claimed_at),
        "finishedAt": iso(record.finished_at),
        "finishedBy": record.finished_by,
        "result": json.loads(record.result_text),
    }


def _without_passwords(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _MASKED if "password" in key.lower() and inner else _without_passwords(inner)
            for key, inner in value.items()
        }
    return [_without_passwords(inner) for inner in value] if isinstance(value, list) else value
