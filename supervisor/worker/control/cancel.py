"""`cancel`: ends one job, and says what became of it."""

import asyncio
import logging

from supervisor.control.protocol import ControlError, JsonObject, Request
from supervisor.log.event import tell
from supervisor.log.events.jobs import JobCancelled
from supervisor.verdict import Cause
from supervisor.worker.control.job_ids import asked_job_id
from supervisor.worker.parts import Parts

_log = logging.getLogger(__name__)

_ID_CHARS = 100


async def cancel(parts: Parts, request: Request) -> JsonObject:
    """Cancel a job that runs or waits, and return its end: `cancelled` is false where it has ended otherwise.

    Raises `ControlError` where nothing can be cancelled. Who leaves takes nothing back.
    """
    job_id = asked_job_id(parts, request)
    verdict = parts.dispatcher.cancel(job_id)
    if verdict is None:
        raise _nothing_cancelled(parts, job_id)
    tell(_log, JobCancelled(job=job_id, by=request.peer.name))
    # Not awaited itself: whoever is cancelled while he waits must not cancel it for the others.
    await asyncio.wait((verdict,))
    if verdict.cancelled():
        raise ControlError(
            "worker_error", f"Job {job_id} met a bug of this worker. Its log has the traceback."
        )
    ended = verdict.result()
    return {
        "job": job_id,
        "cancelled": ended.cause is Cause.CANCELLED,
        "outcome": ended.status,
        "cause": ended.cause.value,
        "message": ended.message,
    }


def _nothing_cancelled(parts: Parts, job_id: str) -> ControlError:
    if job_id in parts.dispatcher.known_job_ids:
        return ControlError(
            "already_ended",
            f"Job {job_id} has ended already, and its result is on its way to the engine. Nothing was cancelled.",
        )
    kept = parts.dispatcher.records.kept
    if kept is not None and kept.find(job_id):
        return ControlError(
            "already_ended",
            f"Job {job_id} has ended already, and `supervisor job` says how. Nothing was cancelled.",
        )
    return ControlError(
        "unknown_job", f"This worker has no job {job_id[:_ID_CHARS]}, or not any more. Nothing was cancelled."
    )
