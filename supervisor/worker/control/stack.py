"""`stack`: where a running job is."""

import dataclasses

from supervisor.worker.control.job_ids import asked_job_id
from supervisor.worker.control_socket.protocol import ControlError, JsonObject, Request
from supervisor.worker.parts import Parts


async def stack(parts: Parts, request: Request) -> JsonObject:
    """Return every thread of a job, and what its tasks await; or why it can't be seen, and what the kernel shows.

    Raises `ControlError`: `unknown_job`, or `no_process` for a job that has none now.
    """
    job_id = asked_job_id(parts, request)
    job = parts.dispatcher.running_jobs.find(job_id)
    if job is None:
        raise ControlError("unknown_job", f"No job {job_id[:100]} runs or waits in this worker.")
    seen = await parts.runner.stack(job_id)
    if seen is None:
        raise ControlError("no_process", f"Job {job_id[:100]} has no process now: it is {job.state}.")
    return {
        "job_id": job_id,
        "block": job.block,
        "state": job.state,
        "seconds": job.seconds,
        **dataclasses.asdict(seen),
    }
