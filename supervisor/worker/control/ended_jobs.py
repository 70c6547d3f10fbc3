"""Answers about ended jobs."""

import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from supervisor.journal.ended_jobs.file_format import DamagedFileError
from supervisor.journal.ended_jobs.files import OpenedJob
from supervisor.journal.ended_jobs.store import EndedJobs
from supervisor.worker.control_socket.protocol import ControlError, JsonObject

if TYPE_CHECKING:  # it would import the code that runs jobs, before the template has started
    from supervisor.worker.job_records import JobRecords

_ID_CHARS = 100


async def ended_job(records: "JobRecords", job_id: str) -> JsonObject | None:
    """Return how a job ended, `None` if it is not kept. Raises `ControlError` if it can't be read."""
    async with opened(records.kept, job_id) as job:
        if records.kept is None or job is None:
            return None
        result = await records.kept.result(job)
        data = json.loads(result) if result else None
        return {**dataclasses.asdict(job.job), "state": "ended", "log_bytes": job.log_bytes, "result": data}


@contextlib.asynccontextmanager
async def opened(kept: EndedJobs | None, job_id: str) -> AsyncIterator[OpenedJob | None]:
    """Open the file of a job's end, `None` if it is not kept. Raises `ControlError` if it can't be read."""
    job: OpenedJob | None = None
    try:
        job = await kept.read(job_id) if kept is not None else None
        yield job
    except DamagedFileError as error:
        raise ControlError(
            "damaged", f"What was kept of job {job_id[:_ID_CHARS]} is damaged: {error}."
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ControlError(
            "disk_failing",
            f"What is kept of job {job_id[:_ID_CHARS]} can't be read: {reason}. Check the disk.",
        ) from None
    finally:
        if kept is not None and job is not None:
            kept.close_file(job)


def unknown(records: "JobRecords", job_id: str) -> ControlError:
    """Return the answer about a job that this worker does not know."""
    if records.kept is None:
        why = "It does not run here, and this worker keeps no ended jobs (--keep-jobs 0)."
    elif records.kept.dropped:
        why = (
            f"It does not run here. {records.kept.dropped} ended job(s) could not be kept, as the disk does not take "
            "them: the event ended_jobs_not_kept in the worker's log says why."
        )
    elif records.kept.problem is not None:
        why = f"It does not run here, and {records.kept.problem}."
    else:
        why = "It does not run here, and is not among the last ended jobs, which are kept."
    return ControlError("unknown_job", f"This worker knows no job {job_id[:_ID_CHARS]}. {why}")
