"""The life of a job: claimed by a poll, finished by the first result."""

import asyncio

import pytest
from devengine_support import ECHO, HttpWorker, running_engine

from sdk.devengine import DevEngine, EngineStateError, NotFoundError
from tests.patience import PATIENCE_SECONDS

BLOCK = "lab/echo:1.0.0"


async def test_jobs_are_claimed_in_creation_order_and_not_more_than_the_limit(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_ids = [engine.submit(block=BLOCK, parameters={"n": n}) for n in range(5)]
    claimed = []
    for expected in (2, 2, 1, 0):
        status, jobs = await worker.poll(limit=2)
        assert (status, len(jobs)) == (201, expected)
        claimed += [job["jobId"] for job in jobs]
    assert claimed == job_ids


async def test_a_poll_without_a_limit_returns_more_than_one_job(
    engine: DevEngine, worker: HttpWorker
) -> None:
    for _ in range(2):
        engine.submit(block=BLOCK)
    assert len((await worker.poll())[1]) == 2


async def test_an_item_has_exactly_the_fields_of_the_contract(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(
        block=BLOCK,
        parameters={"text": "ä", "none": None, "whole": 5},
        context={"devices": [{"id": 7, "password": "pw"}]},
        run_on="device",
        entity_id=7,
        type="rollback",
        step_label="undo",
    )
    _, (item,) = await worker.poll()
    assert item == {
        "functionBlockId": BLOCK,
        "jobId": job_id,
        "stepLabel": "undo",
        "parameters": {"text": "ä", "none": None, "whole": 5},
        "context": {"devices": [{"id": 7, "password": "pw"}], "deviceGroups": [], "interfaces": []},
        "type": "rollback",
        "runOn": "device",
        "entityId": 7,
    }
    assert isinstance(item["entityId"], int)


async def test_the_poll_binds_the_job_to_the_worker(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    assert (engine.job(job_id).status, engine.job(job_id).worker_id) == ("pending", None)
    await worker.poll()
    job = engine.job(job_id)
    assert (job.status, job.worker_id, job.attempts) == ("polled", worker.uuid, 1)
    assert job.claimed_at is not None
    assert (await worker.poll())[1] == []


async def test_only_jobs_of_the_polled_blocks_are_handed_out(engine: DevEngine, worker: HttpWorker) -> None:
    engine.submit(block="lab/other:1.0.0")
    engine.submit(block="lab/echo:1.0.1")
    assert (await worker.poll())[1] == []
    assert len((await worker.poll({**ECHO, "patchVersion": 1}))[1]) == 1


async def test_a_version_part_may_be_sent_as_a_float(engine: DevEngine, worker: HttpWorker) -> None:
    engine.submit(block=BLOCK)
    assert len((await worker.poll({**ECHO, "majorVersion": 1.0}))[1]) == 1


async def test_two_polls_at_once_never_claim_the_same_job(engine: DevEngine, worker: HttpWorker) -> None:
    job_ids = {engine.submit(block=BLOCK) for _ in range(40)}
    answers = await asyncio.gather(*(worker.poll(limit=3) for _ in range(20)))
    claimed = [job["jobId"] for _, jobs in answers for job in jobs]
    assert len(claimed) == 40
    assert set(claimed) == job_ids


async def test_a_poll_of_an_unknown_worker_is_not_found(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    worker.uuid = "00000000-0000-0000-0000-000000000000"
    status, answer = await worker.poll()
    assert (status, answer["statusCode"], answer["error"]) == (404, 404, "Not Found")
    assert engine.job(job_id).status == "pending"


async def test_a_huge_limit_is_no_problem(engine: DevEngine, worker: HttpWorker) -> None:
    job_ids = [engine.submit(block=BLOCK) for _ in range(20)]
    assert [item["jobId"] for item in (await worker.poll(limit=10**30))[1]] == job_ids


@pytest.mark.parametrize("limit", [0, -1, 1.5, "1", True])
async def test_a_limit_that_is_not_a_positive_number_is_refused(worker: HttpWorker, limit: object) -> None:
    assert (await worker.poll(limit=limit))[0] == 400


async def test_the_first_result_wins_and_later_ones_conflict(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    assert await worker.push(job_id, message="first") == (201, None)
    assert (await worker.push(job_id, success=False, message="second"))[0] == 409
    job = engine.job(job_id)
    assert (job.status, job.result_status, job.finished_by) == ("pushed", "success", "worker")
    assert job.result["result"]["message"] == "first"


async def test_a_result_is_stored_byte_for_byte(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    text = (
        f'{{ "jobExecutionId":"{job_id}", "status":"success","result":{{"success":true,'
        '"data":{"whole":5,"half":5.0,"big":12345678901234567890123,"list":[1,null],"text":"\\u00e4ä"}}}'
    )
    status, _ = await worker.call(
        "POST", "/blackboard/job/result", data=text.encode(), headers={"Content-Type": "application/json"}
    )
    assert status == 201
    assert engine.job(job_id).result_text == text


async def test_the_result_of_an_unknown_job_is_not_found(worker: HttpWorker) -> None:
    assert (await worker.push("no-such-job"))[0] == 404


async def test_the_result_of_a_job_nobody_claimed_conflicts(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    assert (await worker.push(job_id))[0] == 409
    assert engine.job(job_id).status == "pending"


async def test_waiting_for_a_result_ends_when_it_arrives(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    waiting = asyncio.create_task(engine.wait_for_result(job_id, timeout_seconds=PATIENCE_SECONDS))
    await asyncio.sleep(0)
    assert not waiting.done()
    await worker.push(job_id, data={"a": 1})
    assert (await waiting).result["result"]["data"] == {"a": 1}
    assert (await engine.wait_for_result(job_id, timeout_seconds=0)).status == "pushed"


async def test_waiting_in_vain_says_where_the_job_stands(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    with pytest.raises(TimeoutError, match=rf"{job_id} \({BLOCK}\).*polled, worker {worker.uuid}"):
        await engine.wait_for_result(job_id, timeout_seconds=0.01)
    with pytest.raises(NotFoundError):
        await engine.wait_for_result("no-such-job", timeout_seconds=1)


async def test_stopping_the_engine_ends_the_waits() -> None:
    async with running_engine() as engine:
        job_id = engine.submit(block=BLOCK)
        waiting = asyncio.create_task(engine.wait_for_result(job_id, timeout_seconds=PATIENCE_SECONDS))
        await asyncio.sleep(0)
    with pytest.raises(EngineStateError, match="stopped"):
        await waiting


async def test_a_raw_item_comes_beside_the_claimed_jobs_and_its_result_is_accepted(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    raw = [
        {"jobId": "raw-1", "functionBlockId": 7, "entityId": 10**30, "stepLabel": "half \ud800 of a pair"},
        {"jobId": "half \ud800 of a pair"},
        {"jobId": ["no id"]},
        "not even an object",
    ]
    for item in raw:
        engine.inject_raw_item(item)
    _, items = await worker.poll(limit=1)
    assert items[0]["jobId"] == job_id
    assert items[1:] == raw
    assert (engine.job("raw-1").status, engine.job("raw-1").worker_id) == ("polled", worker.uuid)
    assert (await worker.push("raw-1", success=False, message="malformed"))[0] == 201
    assert engine.job("raw-1").result_status == "failed"
    assert (await worker.poll())[1] == []


async def test_a_raw_duplicate_of_a_job_leaves_one_job(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    engine.inject_raw_item(engine.job(job_id).item)
    _, items = await worker.poll()
    assert [item["jobId"] for item in items] == [job_id, job_id]
    assert [(job.job_id, job.attempts) for job in engine.jobs()] == [(job_id, 1)]
    assert (await worker.push(job_id))[0] == 201
