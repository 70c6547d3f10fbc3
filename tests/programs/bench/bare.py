"""A worker that runs nothing: it claims a job and reports it at once. What it reaches is the engine's own limit."""

import asyncio
from typing import Any

from tests.programs.bench.engine import Engine
from tests.programs.bench.stage import WHICH_PROCESS


async def run_bare_worker(engine: Engine, jobs: int, slots: int) -> None:
    """Claim and report `jobs` jobs with as many requests at a time, and for each job, as the real worker has."""
    worker = (await engine.ask("POST", "/workers/register", {"version": "1.0.0", "name": "bare"}))["uuid"]
    package, _, rest = WHICH_PROCESS.partition("/")
    name = rest.partition(":")[0]
    block = {"package": package, "name": name, "majorVersion": 1, "minorVersion": 0, "patchVersion": 0}
    poll = {"functionBlockIds": [block], "workerId": worker, "limit": 1}

    async def fill_slot() -> None:
        while claimed := await engine.ask("POST", "/blackboard/job", poll):
            await engine.ask("POST", "/blackboard/job/result", _result(claimed[0]))

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(min(slots, jobs)):
            group.create_task(fill_slot())


def _result(job: dict[str, Any]) -> dict[str, Any]:
    data = {"text": job["parameters"]["text"], "pid": 1, "started_ticks": 1}
    result = {"success": True, "message": "Echoed the text", "data": data}
    return {"jobExecutionId": job["jobId"], "status": "success", "result": result}
