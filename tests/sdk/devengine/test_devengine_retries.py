"""The retry rule (engine contract: retries): the same job id comes again, for blocks that may run twice."""

from collections.abc import AsyncIterator

import pytest
from devengine_support import ECHO, Clock, HttpWorker, running_engine

from sdk.devengine import DevEngine

BLOCK = "lab/echo:1.0.0"


@pytest.fixture
async def engine(clock: Clock) -> AsyncIterator[DevEngine]:
    async with running_engine(clock, max_attempts=3) as engine:
        yield engine


@pytest.fixture
async def worker(engine: DevEngine) -> AsyncIterator[HttpWorker]:
    async with HttpWorker(engine.url, engine.token_file) as worker:
        await worker.register({**ECHO, "isPure": True})
        yield worker


async def test_a_failed_job_of_a_pure_block_comes_again_until_the_attempts_are_used_up(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    for attempt in (1, 2, 3):
        _, (item,) = await worker.poll()
        assert (item["jobId"], engine.job(job_id).attempts) == (job_id, attempt)
        assert (await worker.push(job_id, success=False, message=f"no {attempt}"))[0] == 201
    assert (await worker.poll())[1] == []
    job = await engine.wait_for_result(job_id, timeout_seconds=0)
    assert (job.status, job.result["result"]["message"]) == ("pushed", "no 3")
    assert [(earlier.attempt, earlier.worker_id) for earlier in engine.earlier_attempts(job_id)] == [
        (1, worker.uuid),
        (2, worker.uuid),
    ]


async def test_a_success_ends_the_attempts(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    await worker.push(job_id, success=False)
    await worker.poll()
    await worker.push(job_id)
    assert (engine.job(job_id).result_status, engine.job(job_id).attempts) == ("success", 2)


async def test_a_failure_that_is_not_retryable_is_final(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    await worker.push(job_id, success=False, retryable=False)
    assert engine.job(job_id).status == "pushed"


async def test_a_block_with_side_effects_is_not_run_again(engine: DevEngine, worker: HttpWorker) -> None:
    impure = {**ECHO, "name": "change"}
    await worker.register(impure)
    job_id = engine.submit(block="lab/change:1.0.0")
    await worker.poll(impure)
    await worker.push(job_id, success=False, retryable=True)
    assert engine.job(job_id).status == "pushed"


async def test_an_idempotent_block_is_run_again(engine: DevEngine, worker: HttpWorker) -> None:
    idempotent = {**ECHO, "name": "ensure", "isIdempotent": True}
    await worker.register(idempotent)
    job_id = engine.submit(block="lab/ensure:1.0.0")
    await worker.poll(idempotent)
    await worker.push(job_id, success=False)
    assert engine.job(job_id).status == "pending"


async def test_a_repeated_result_of_an_ended_attempt_conflicts(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    assert (await worker.push(job_id, success=False))[0] == 201
    assert (await worker.push(job_id, success=False))[0] == 409
    assert (engine.job(job_id).status, engine.job(job_id).attempts) == ("pending", 1)


async def test_a_lost_worker_s_job_goes_to_another_worker(
    engine: DevEngine, worker: HttpWorker, clock: Clock
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    clock.advance(400)
    engine.check_now()
    first = worker.uuid
    await worker.register()
    _, (item,) = await worker.poll()
    assert (item["jobId"], engine.job(job_id).worker_id) == (job_id, worker.uuid)
    (lost,) = engine.earlier_attempts(job_id)
    assert (lost.worker_id, lost.finished_by) == (first, "engine")


async def test_everything_known_of_a_retried_job_names_its_attempts(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    await worker.push(job_id, success=False, message="first")
    _, shown = await worker.call("GET", f"/dev/jobs/{job_id}")
    assert (shown["status"], shown["attempts"], shown["retryCount"]) == ("pending", 1, 0)
    (earlier,) = shown["earlierAttempts"]
    assert (earlier["attempt"], earlier["result"]["result"]["message"]) == (1, "first")
