"""`python -m tests.programs.bench.competitors.naive WAY`: a worker as one writes it in an afternoon.

It polls the engine, runs each job in a process of its own, and posts what comes back. `spawn` starts a
`multiprocessing.Process` for each job; `pool` has a `ProcessPoolExecutor` whose children run one task each. There is no
journal, no limit, no supervision and no log: what is not there costs nothing.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import aiohttp

BLOCKS: Final = Path(__file__).parent / "shared_blocks"
PACKAGE: Final = "neops_bench_shared"
Run = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def run_block(parameters: dict[str, Any]) -> dict[str, Any]:
    """Run the block in this process, and return its result as the engine wants it."""
    from sdk.compat.finder import install_alias

    install_alias()
    sys.path.insert(0, str(BLOCKS))
    import shared

    params = shared.ActParams(**parameters)
    result = asyncio.run(shared.Act.run(object.__new__(shared.Act), params, None))
    return {"success": result.success, "message": result.message, "data": result.data.model_dump()}


def _run_and_send(connection: Connection, parameters: dict[str, Any]) -> None:
    connection.send(run_block(parameters))


async def spawn(parameters: dict[str, Any]) -> dict[str, Any]:
    """Run a job in a new interpreter."""
    return await asyncio.to_thread(_spawned, parameters)


def _spawned(parameters: dict[str, Any]) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run_and_send, args=(sender, parameters))
    process.start()
    sender.close()
    try:
        result: dict[str, Any] = receiver.recv()
    finally:
        process.join()
    return result


def pooled(slots: int) -> Run:
    """Return what runs jobs in a pool whose children run one task each."""
    pool = ProcessPoolExecutor(slots, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1)

    async def run(parameters: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.get_running_loop().run_in_executor(pool, run_block, parameters)

    return run


async def work(url: str, slots: int, poll_seconds: float, run: Run) -> None:
    """Claim jobs, run them, post their results, until killed."""
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session:

        async def ask(path: str, body: Any) -> Any:
            async with session.post(url + path, data=json.dumps(body)) as response:
                content = await response.read()
                return json.loads(content) if content else None

        worker = (await ask("/workers/register", {"version": "1.0.0", "name": "naive"}))["uuid"]
        block = {"package": PACKAGE, "name": "act", "majorVersion": 1, "minorVersion": 0, "patchVersion": 0}
        running: set[asyncio.Task[None]] = set()

        async def run_one(job: dict[str, Any]) -> None:
            try:
                result = await run(job["parameters"])
                status = "success"
            except Exception as error:
                result, status = {"success": False, "message": repr(error)}, "failed"
            body = {"jobExecutionId": job["jobId"], "status": status, "result": result}
            await ask("/blackboard/job/result", body)

        print("ready", flush=True)
        while True:
            free = slots - len(running)
            poll = {"functionBlockIds": [block], "workerId": worker, "limit": free}
            claimed = await ask("/blackboard/job", poll) if free else None
            running |= {asyncio.create_task(run_one(job)) for job in claimed or []}
            if running:
                timeout = None if len(running) == slots else poll_seconds
                _, running = await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(poll_seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.programs.bench.competitors.naive")
    parser.add_argument("way", choices=("spawn", "pool"))
    parser.add_argument("--engine-url", required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--poll-seconds", type=float, required=True)
    given = parser.parse_args()
    way = spawn if given.way == "spawn" else pooled(given.slots)
    asyncio.run(work(given.engine_url, given.slots, given.poll_seconds, way))
