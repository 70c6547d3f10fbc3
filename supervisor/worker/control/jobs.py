"""`jobs` and `job`: what runs and what waits."""

import dataclasses

from supervisor.control.protocol import ControlError, JsonObject, Request
from supervisor.worker.parts import Parts


async def jobs(parts: Parts, _: Request) -> JsonObject:
    """Return all jobs that this worker has now."""
    return {"jobs": [dataclasses.asdict(each) for each in parts.dispatcher.running_jobs.listed()]}


async def job(parts: Parts, request: Request) -> JsonObject:
    """Return one job. Raises `ControlError` where there is none with this id."""
    job_id = request.text("job_id")
    if found := parts.dispatcher.running_jobs.find(job_id):
        return {"job": dataclasses.asdict(found)}
    raise ControlError("unknown_job", f"This worker has no job {job_id[:100]}.")
