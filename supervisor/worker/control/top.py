"""`top`: worker and jobs in one answer, so that they match."""

import dataclasses

from supervisor.worker.control.status import status_of
from supervisor.worker.control_socket.protocol import JsonObject, Request
from supervisor.worker.parts import Parts


async def top(parts: Parts, _: Request) -> JsonObject:
    """Return the worker's state, and all its jobs. Reads no file, because it is called each second."""
    jobs = parts.dispatcher.running_jobs.listed()
    status, problem = status_of(parts), parts.readiness.engine_problem
    engine = f"{status['engine_url']}: {'answers' if problem is None else problem}"
    worker = status | {"spares": parts.runner.spares_ready, "engine": engine}
    return {"worker": worker, "jobs": [dataclasses.asdict(each) for each in jobs]}
