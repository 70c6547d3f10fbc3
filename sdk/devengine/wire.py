"""Records as the JSON of the HTTP answers, with the fields of both clients (engine contract: routes that only read)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic.alias_generators import to_camel

from sdk.devengine.masking import JobMask, Path
from sdk.devengine.records import AttemptRecord, JobRecord, LogRecord, RegistrationRecord, WorkerRecord
from sdk.devengine.request_log import RequestRecord

_MAX_MESSAGE_CHARACTERS = 1000

Json = dict[str, Any]

_NOTHING_TOLD: Json = {"result": None, "attempts": []}


def iso(seconds: float | None) -> str | None:
    """Render epoch seconds in the engine's form of times: UTC, milliseconds, `Z`."""
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

    0.42 expects the block itself here, 0.43 an object around it. Each client ignores what it does not know.
    """
    return {**block(record), "functionBlock": block(record)}


def job(record: JobRecord, holder: WorkerRecord | None) -> Json:
    """Render a job for the lists (`JobShowResultDto`); `holder` is the worker that claimed it.

    It has no data that came with the job or with its result: a user who looks for one job must not see those of others.
    """
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
        # There are no workflow runs here: each job stands alone.
        "workflowExecutionId": record.job_id,
        "entityId": record.entity_id,
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "startedAt": iso(record.claimed_at),
        "finishedAt": iso(record.finished_at),
        "retryCount": max(0, record.attempts - 1),
        "canceled": False,
        "resultMessage": None,
    }


def job_result(record: JobRecord, sensitive: Iterable[Path]) -> Json:
    """Render the result of a job (`JobResultDataDto`); all fields are null before there is one. Secrets are masked."""
    mask, told = _mask_of(record, (), sensitive)
    result = (_hidden(told["result"], mask) or {}).get("result", {})
    details = {key: result.get(key) for key in ("message", "data", "retryable")}
    return {"jobId": record.job_id, "resultStatus": record.result_status, **details}


def job_in_full(
    record: JobRecord,
    holder: WorkerRecord | None,
    attempts: list[AttemptRecord],
    sensitive: Iterable[Path],
    *,
    with_input: bool = True,
) -> Json:
    """Render all data of a job, with its secrets masked; `sensitive` are the paths that its block has marked.

    Without its input, nothing is searched before there is a result: that takes a second for a context of 10 MB.
    """
    mask, told = JobMask(), _NOTHING_TOLD
    if with_input or record.result_text is not None or attempts:
        mask, told = _mask_of(record, attempts, sensitive)
    result = _hidden(told["result"], mask)
    message = ((result or {}).get("result") or {}).get("message")
    return {
        **job(record, holder),
        "resultMessage": None if message is None else message[:_MAX_MESSAGE_CHARACTERS],
        "runOn": record.run_on,
        **({name: mask.hide(told[name]) for name in ("parameters", "context")} if with_input else {}),
        "attempts": record.attempts,
        "finishedBy": record.finished_by,
        "result": result,
        "earlierAttempts": [
            _attempt(attempt, _hidden(body, mask))
            for attempt, body in zip(attempts, told["attempts"], strict=True)
        ],
    }


def log(record: LogRecord) -> Json:
    """Render a log entry: the worker's fields and the time of its arrival."""
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
    """Render a recorded request without its body, which is a job's result, or holds passwords."""
    return {to_camel(name): value for name, value in asdict(record).items() if name != "body_text"}


def _attempt(record: AttemptRecord, result: Json | None) -> Json:
    return {
        "attempt": record.attempt,
        "workerId": record.worker_id,
        "startedAt": iso(record.claimed_at),
        "finishedAt": iso(record.finished_at),
        "finishedBy": record.finished_by,
        "result": result,
    }


def _hidden(body: Json | None, mask: JobMask) -> Json | None:
    """Return a result body without secrets. Its own keywords stay, even if a secret is equal to one."""
    if body is None:
        return None
    body = _with_updates(body, mask.hide)
    result = {
        key: value if key in ("success", "retryable") else mask.hide(value)
        for key, value in body["result"].items()
    }
    acquires = {"acquires": mask.hide(body["acquires"])} if "acquires" in body else {}
    return {**body, "result": result, **acquires}


def _with_updates(body: Json, change: Callable[[Json], Json]) -> Json:
    """Return a result body with updates that `change` has changed: it gets each value below the name of its field."""
    details = body["result"]
    updates = (details.get("dbUpdates") or {}).get("updates")
    if not updates:
        return body
    changed = [_update(update, change) for update in updates]
    return {**body, "result": {**details, "dbUpdates": {**details["dbUpdates"], "updates": changed}}}


def _update(update: Json, change: Callable[[Json], Json]) -> Json:
    if update["operation"] != "patch" or "value" not in update:
        return change(update)
    # The name of a patch's field is beside its value, not above it: `"path": "password", "value": ...`.
    (value,) = change({update["path"]: update["value"]}).values()
    return {**change({key: each for key, each in update.items() if key != "value"}), "value": value}


def _mask_of(
    record: JobRecord, attempts: Sequence[AttemptRecord], sensitive: Iterable[Path]
) -> tuple[JobMask, Json]:
    """Return the mask of a job, and the job's input and results, masked where a name shows that a value is secret.

    The mask also learns from the updates of the results: only they have a password that the block has set.
    """
    item = record.item if isinstance(record.item, dict) else {}
    mask = JobMask()
    result = record.result
    told = {
        "parameters": mask.learn(item.get("parameters"), sensitive),
        "context": mask.learn(item.get("context")),
        "result": None if result is None else _with_updates(result, mask.learn),
        "attempts": [_with_updates(json.loads(each.result_text), mask.learn) for each in attempts],
    }
    return mask, told
