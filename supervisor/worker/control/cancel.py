"""`cancel`: ends one job, and reports how it ended."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from supervisor.log.event import tell
from supervisor.log.events.jobs import JobCancelled
from supervisor.verdict import Cause
from supervisor.worker.control.job_ids import asked_job_id
from supervisor.worker.control_socket.protocol import ControlError, JsonObject, Request
from supervisor.worker.parts import Parts

_log = logging.getLogger(__name__)

_ID_CHARS = 100


HINT_SECONDS: Final = 0.8
"""After so long, a waiting person is told what the command waits for. It is shorter than any usual grace time."""


async def cancel(parts: Parts, request: Request) -> AsyncIterator[JsonObject]:
    """Cancel a job that runs or waits, and yield its end: `cancelled` is false if it has ended otherwise.

    With `hint`, a client that waits for a while gets a part before that: `waits_for` is the job's state, and
    `grace_seconds` the time for its clean-up. Raises `ControlError` if nothing can be cancelled. If the client leaves,
    the job is still cancelled.
    """
    job_id = asked_job_id(parts, request)
    verdict = parts.dispatcher.cancel(job_id)
    if verdict is None:
        raise _nothing_cancelled(parts, job_id)
    # Before the first await: after it, the job may end.
    parts.dispatcher.records.cancelled(job_id, request.peer.name)
    tell(_log, JobCancelled(job=job_id, by=request.peer.name))
    # Not awaited directly: if this client's wait is cancelled, the future must not be cancelled for the others.
    done, _ = await asyncio.wait((verdict,), timeout=HINT_SECONDS if request.flag("hint") else None)
    if not done:
        job = parts.dispatcher.running_jobs.find(job_id)
        grace = parts.runner.settings.grace_seconds
        yield {"waits_for": "reporting" if job is None else job.state, "grace_seconds": grace}
        await asyncio.wait((verdict,))
    if verdict.cancelled():
        raise ControlError(
            "worker_error", f"Job {job_id} met a bug of this worker. Its log has the traceback."
        )
    ended = verdict.result()
    yield {
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
            f"Job {job_id} has ended already, and the engine does not have its result yet. Nothing was cancelled.",
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
