"""The installed generation of the generated client is satisfied by every route it can call.

Run under both generations; what differs between them is asked of the installed one by `hasattr`.
"""

from collections.abc import AsyncIterator
from typing import Any

import neops_workflow_engine_client as client
import pytest
from devengine_support import ECHO, running_engine
from neops_workflow_engine_client.exceptions import ApiException, NotFoundException

from sdk.devengine import DevEngine


@pytest.fixture
async def engine() -> AsyncIterator[DevEngine]:
    # The client sends no token on the routes of workers, where the contract knows none.
    async with running_engine(without_token=True) as engine:
        yield engine


@pytest.fixture
async def api(engine: DevEngine) -> AsyncIterator[client.ApiClient]:
    async with client.ApiClient(client.Configuration(host=engine.url)) as api:
        yield api


def echo_registration(worker_id: str | None) -> client.RegisterFunctionBlockDto:
    return client.RegisterFunctionBlockDto.from_dict({**ECHO, "workerId": worker_id})


async def registered(api: client.ApiClient) -> str:
    worker = await client.WorkersApi(api).workers_controller_register(
        client.RegisterWorkerDto(version="1.2.3", name="lab")
    )
    await client.FunctionBlockApi(api).function_blocks_controller_register(echo_registration(worker.uuid))
    return worker.uuid


def poll_of(worker_id: str, limit: int | None = None) -> client.JobPollDto:
    block = {key: ECHO[key] for key in ("name", "package", "majorVersion", "minorVersion", "patchVersion")}
    return client.JobPollDto.from_dict({"functionBlockIds": [block], "workerId": worker_id, "limit": limit})


def result_of(job_id: str, **result: Any) -> client.JobResultDto:
    return client.JobResultDto.from_dict(
        {"jobExecutionId": job_id, "status": "success", "result": {"success": True, **result}}
    )


async def test_a_job_goes_from_submission_to_result(engine: DevEngine, api: client.ApiClient) -> None:
    worker_id = await registered(api)
    job_id = engine.submit(block="lab/echo:1", parameters={"text": "hello"})
    blackboard = client.BlackboardApi(api)
    (job,) = await blackboard.blackboard_controller_poll_job(poll_of(worker_id, limit=4))
    assert (job.job_id, job.function_block_id, job.parameters) == (
        job_id,
        "lab/echo:1.0.0",
        {"text": "hello"},
    )
    assert (job.context.devices, job.entity_id, job.run_on, job.step_label) == ([], None, "global", "step")
    await blackboard.blackboard_controller_push_job_result(result_of(job_id, message="done", data={"a": 1}))
    record = await engine.wait_for_result(job_id, timeout_seconds=1)
    assert record.result_status == "success"
    assert record.result["result"]["data"] == {"a": 1}
    with pytest.raises(ApiException) as late:
        await blackboard.blackboard_controller_push_job_result(result_of(job_id))
    assert late.value.status == 409


async def test_a_poll_without_work_is_an_empty_list_and_not_none(api: client.ApiClient) -> None:
    worker_id = await registered(api)
    assert await client.BlackboardApi(api).blackboard_controller_poll_job(poll_of(worker_id)) == []


async def test_ping_and_unregister_are_understood_and_unknown_workers_are_not_found(
    api: client.ApiClient,
) -> None:
    worker_id = await registered(api)
    workers = client.WorkersApi(api)
    await workers.workers_controller_ping(worker_id)
    await workers.workers_controller_unregister(worker_id)
    assert (await workers.workers_controller_find_one(worker_id)).state == "offline"
    await workers.workers_controller_ping(worker_id)
    assert [worker.uuid for worker in await workers.workers_controller_find_online()] == [worker_id]
    await workers.workers_controller_remove(worker_id)
    with pytest.raises(NotFoundException):
        await workers.workers_controller_ping(worker_id)


async def test_the_compatibility_check_answers_with_all_fields(api: client.ApiClient) -> None:
    version = client.VersionApi(api)
    answer = await version.version_controller_check_compatibility(
        client.VersionCompatibilityRequestDto(version="9.9", library="neops_workflow_engine_client")
    )
    assert (answer.compatible, answer.deprecated, answer.checked_version) == (True, False, "9.9")
    assert (await version.version_controller_get_version()).version == answer.version


async def test_a_log_entry_is_stored(engine: DevEngine, api: client.ApiClient) -> None:
    entry = {
        "workflowId": "lab/flow:1.0.0",
        "jobId": "j",
        "functionBlockId": "lab/echo:1.0.0",
        "logEntry": "hello",
        "logLevel": "info",
        "timestamp": "2024-01-01T00:00:00Z",
    }
    await client.BlackboardApi(api).blackboard_controller_add_job_log(client.JobLogDto.from_dict(entry))
    (stored,) = engine.logs()
    assert (stored.entry, stored.level) == ("hello", "info")


async def test_the_read_routes_deserialise(engine: DevEngine, api: client.ApiClient) -> None:
    worker_id = await registered(api)
    job_id = engine.submit(block="lab/echo:1.0.0", run_on="device", entity_id=7)
    workers, blocks = client.WorkersApi(api), client.FunctionBlockApi(api)
    blackboard = client.BlackboardApi(api)
    await blackboard.blackboard_controller_poll_job(poll_of(worker_id))
    assert [worker.uuid for worker in await workers.workers_controller_find_all()] == [worker_id]
    assert await workers.workers_controller_get_function_blocks(worker_id) == ["lab/echo:1.0.0"]
    for jobs in (
        await workers.workers_controller_get_jobs(worker_id),
        await blackboard.blackboard_controller_show_jobs(),
        await blackboard.blackboard_controller_show_active_jobs(),
    ):
        assert [(job.job_id, job.status, job.worker_name) for job in jobs] == [(job_id, "polled", "lab")]
    assert (await blocks.function_blocks_controller_find_one_fb("lab", "echo", "1")).name == "echo"
    assert await blocks.function_blocks_controller_find_one_fb_registration("lab", "echo", "1.0.0")
    assert len(await blocks.function_blocks_controller_find_all(populate_workers=True)) == 1
    offering = await blocks.function_blocks_controller_get_workers_for_function_block("lab", "echo", "1.0")
    assert [worker.uuid for worker in offering] == [worker_id]
    assert (await client.HealthApi(api).health_controller_healthy()).healthy is True
    assert "engine" in await client.AppApi(api).app_controller_get_hello()


async def test_the_result_of_a_job_can_be_read_by_a_client_that_knows_the_route(
    engine: DevEngine, api: client.ApiClient
) -> None:
    blackboard = client.BlackboardApi(api)
    if not hasattr(blackboard, "show_job_result"):
        pytest.skip("this client generation has no call for it")
    worker_id = await registered(api)
    job_id = engine.submit(block="lab/echo:1.0.0")
    assert (await blackboard.show_job_result(job_id)).result_status is None
    await blackboard.blackboard_controller_poll_job(poll_of(worker_id))
    await blackboard.blackboard_controller_push_job_result(result_of(job_id, data={"a": [1, None]}))
    assert (await blackboard.show_job_result(job_id)).data == {"a": [1, None]}
