"""What jobs send is masked, read and passed on in turns: no job's texts keep the worker, or another job, waiting."""

import asyncio
import json
import time
from typing import Any

from tests.programs.redteam.attack import attack, check
from tests.programs.redteam.between import between
from tests.programs.redteam.scene import Scene, events_of

_LARGE_BYTES = 2**20
_WORK = "neops_redteam/work:1.0.0"


async def _four(scene: Scene, name: str, **settings: Any) -> list[dict[str, Any]]:
    parameters = {"attack": name, **settings}
    jobs = [await scene.submit(_WORK, parameters) for _ in range(4)]
    return await asyncio.gather(*map(scene.result_of, jobs))


@attack("R11", "four jobs tell of 200 secrets with one beginning, and log texts full of escapes")
async def secrets(scene: Scene) -> str:
    async with scene.worker(max_concurrent_jobs=5) as worker:
        attacks = asyncio.ensure_future(_four(scene, "secrets", seconds=4.0))
        await asyncio.sleep(1.5)
        began = time.monotonic()
        other = await scene.result_of(await scene.submit("neops_redteam/ordinary:1.0.0", {"text": "x"}))
        waited = time.monotonic() - began
        check(other["success"], f"another job failed meanwhile: {other}")
        for result in await attacks:
            check(result["success"], f"one failed: {result['message'][:300]}")
        dropped = sum(int(e["lines"]) for e in events_of(worker) if e["event"] == "job_lines_dropped")
        check(dropped, "all that they logged was passed on")
        check("A%41" not in worker.said(), "a text was shown that was not searched for secrets")
    return f"another job took {waited:.2f} s meanwhile; {dropped} records were dropped, and the log says so"


@attack("R17", "an outcome whose data is a list, which the engine refuses for good")
async def data_of_another_shape(scene: Scene) -> str:
    async with scene.worker():
        job = await scene.submit(_WORK, {"attack": "list_as_data"}, maxAttempts=1)
        result = await scene.result_of(job)
        check(not result["success"], "it was taken for a success")
        check("its data is no object" in result["message"], f"it does not say why: {result['message'][:300]}")
    return "the job failed, and its result says why"


@attack("D-dump", "jobs write 64 KiB of beginnings of frames into their stack's descriptor, and end")
async def dump(scene: Scene) -> str:
    async with scene.worker():
        for result in await _four(scene, "dump"):
            check(not result["success"], f"it succeeded: {result}")
    return "4 jobs failed, as they had ended without a result"


@attack("D-bidi", "a job prints characters that turn a line round, or are not seen")
async def hidden(scene: Scene) -> str:
    async with scene.worker(log_format="text") as worker:
        await scene.result_of(await scene.submit(_WORK, {"attack": "hidden"}))
        said = worker.said()
        check("user \\u202egnp.exe\\u202c \\u200bsaid\\u2066 so" in said, "they are not shown as escapes")
    return "they are shown as escapes"


@attack("D-outcomes", "four outcomes of 8 MB of empty objects at once")
async def outcomes(scene: Scene) -> str:
    sizes: list[int] = []

    def small(path: str, body: bytes) -> bytes:
        """The embedded engine would take seconds for it."""
        if len(body) < _LARGE_BYTES:
            return body
        sizes.append(len(body))
        result = {"success": True, "message": "crafted", "data": {"bytes": len(body)}}
        job_id = json.loads(body[: body.index(b",")] + b"}")["jobExecutionId"]
        return json.dumps({"jobExecutionId": job_id, "status": "success", "result": result}).encode()

    async with between(scene, request=small) as url, scene.worker(engine_url=url):
        began = time.monotonic()
        for result in await _four(scene, "tiny_objects"):
            check(result["success"], f"it failed: {result['message'][:300]}")
        took = time.monotonic() - began
    check(len(sizes) == 4, f"{len(sizes)} large results came")
    return f"4 results of {min(sizes) / 1e6:.1f} MB after {took:.1f} s"


@attack("D-poll", "an answer to a poll of 20 MB of empty objects, some of them in a job's context")
async def large_poll(scene: Scene) -> str:
    sizes: list[int] = []
    # Made before: the heartbeat's way leads through this process, too.
    context, unknown = b'{"x": [' + b"{}," * 400_000 + b"{}]}", b"[" + b"{}," * 6_500_000 + b"{}]"

    def large(path: str, body: bytes) -> bytes:
        if path != "/blackboard/job" or body == b"[]" or sizes:
            return body
        items = json.loads(body)
        # Not all in the context: what the child does with it takes its own time.
        items[0] |= {"context": "CONTEXT", "unknown": "UNKNOWN"}
        before, after = json.dumps(items).encode().split(b'"CONTEXT"')
        between_them, after = after.split(b'"UNKNOWN"')
        answer = b"".join([before, context, between_them, unknown, after])
        sizes.append(len(answer))
        return answer

    async with between(scene, answer=large) as url, scene.worker(engine_url=url, max_job_seconds=20):
        began = time.monotonic()
        jobs = [await scene.submit("neops_redteam/ordinary:1.0.0", {"text": str(n)}) for n in range(2)]
        results = await asyncio.gather(*map(scene.result_of, jobs))
        took = time.monotonic() - began
        for number, result in enumerate(results):
            check(result["success"] and result["data"] == {"text": str(number)}, f"a job failed: {result}")
    return f"a poll of {sizes[0] / 1e6:.0f} MB, and both jobs succeeded, after {took:.1f} s"
