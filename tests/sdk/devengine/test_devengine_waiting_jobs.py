"""What a job waits for that nobody has claimed: a worker that offers its block, or a slot of one."""

import pytest
from devengine_support import ECHO, Clock, HttpWorker, running_engine

from sdk.devengine import DevEngine
from sdk.devengine.asked_blocks import ANOTHER_POLL_SECONDS

BLOCK = "lab/echo:1.0.0"
OTHER = {**ECHO, "name": "other"}


async def waits_for(worker: HttpWorker, job_id: str) -> str | None:
    _, job = await worker.call("GET", f"/dev/jobs/{job_id}")
    found: str | None = job["waitsFor"]
    return found


async def test_a_job_whose_worker_has_not_polled_yet_waits_for_a_slot_and_one_that_runs_for_nothing(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    assert await waits_for(worker, job_id) == "slot"
    await worker.poll()
    assert await waits_for(worker, job_id) is None


async def test_a_job_whose_worker_polls_for_other_blocks_alone_waits_for_a_worker(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll(OTHER)
    assert await waits_for(worker, job_id) == "worker"


async def test_a_job_of_no_worker_that_is_online_waits_for_a_worker(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.call("POST", f"/workers/{worker.uuid}/unregister")
    assert await waits_for(worker, job_id) == "worker"
    later = engine.submit(block="lab/later:1.0.0", allow_unregistered=True)
    assert await waits_for(worker, later) == "worker"


@pytest.mark.parametrize("ended", [True, False])
async def test_a_block_that_was_left_out_of_polls_while_its_slots_were_full_is_still_offered(
    ended: bool,
) -> None:
    clock = Clock()
    async with running_engine(clock) as engine, HttpWorker(engine.url, engine.token_file) as worker:
        await worker.register(ECHO, OTHER)
        first, second = (engine.submit(block=BLOCK) for _ in range(2))
        await worker.poll(ECHO, OTHER, limit=1)
        clock.advance(ANOTHER_POLL_SECONDS * 2)
        await worker.poll(OTHER)
        assert await waits_for(worker, second) == "slot"
        if ended:
            await worker.push(first)
            assert await waits_for(worker, second) == "slot"
            clock.advance(ANOTHER_POLL_SECONDS * 2)
            await worker.poll(OTHER)
            assert await waits_for(worker, second) == "worker"


async def test_the_list_of_blocks_says_which_ones_a_worker_that_runs_still_has(
    engine: DevEngine, worker: HttpWorker
) -> None:
    async def is_offered() -> bool:
        _, listed = await worker.call(
            "GET", "/function-blocks/registrations/list?populateWorkers=true&name=echo"
        )
        return bool(listed[0]["isOffered"])

    assert await is_offered(), "no poll has said anything"
    await worker.poll()
    assert await is_offered()
    await worker.call("POST", f"/workers/{worker.uuid}/unregister")
    assert not await is_offered()
    await worker.call("POST", f"/workers/{worker.uuid}/ping")
    await worker.poll(OTHER)
    assert await is_offered(), "it may be left out for a moment"


async def test_a_block_that_a_worker_has_never_asked_for_is_not_offered(
    engine: DevEngine, worker: HttpWorker
) -> None:
    await worker.poll(OTHER)
    _, listed = await worker.call("GET", "/function-blocks/registrations/list?populateWorkers=true&name=echo")
    assert listed[0]["isOffered"] is False
