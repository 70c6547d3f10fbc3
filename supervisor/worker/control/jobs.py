"""`jobs` and `job`: running and waiting jobs."""

import dataclasses
from typing import Final

from supervisor.worker.control.ended_jobs import ended_job, unknown
from supervisor.worker.control.job_ids import asked_job_id
from supervisor.worker.control_socket.protocol import JsonObject, Request
from supervisor.worker.parts import Parts

_MOST_ENDED: Final = 1000


async def jobs(parts: Parts, request: Request) -> JsonObject:
    """Return all jobs that this worker has now, and the last `ended` ones that it keeps, the last one first."""
    running = [dataclasses.asdict(each) for each in parts.dispatcher.running_jobs.listed()]
    count, kept = int(request.number("ended", 0)), parts.dispatcher.records.kept
    ended = [] if kept is None else kept.latest(min(count, _MOST_ENDED))
    return {"jobs": running, "ended": [dataclasses.asdict(each) for each in ended] if count else []}


async def job(parts: Parts, request: Request) -> JsonObject:
    """Return one job: its current state, or how it ended. Raises `ControlError` if there is none with this id."""
    job_id = asked_job_id(parts, request)
    records = parts.dispatcher.records
    if found := parts.dispatcher.running_jobs.find(job_id):
        demand = records.cancel_demand(job_id)
        told = {} if demand is None else {"cancelled_by": demand.by, "cancelled_at": demand.at}
        return {"job": dataclasses.asdict(found) | told}
    if (ended := await ended_job(records, job_id)) is not None:
        return {"job": ended}
    raise unknown(records, job_id)
