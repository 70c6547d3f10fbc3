"""The read routes, and what does not exist."""

import pytest
from devengine_support import HttpWorker

from sdk.devengine import DevEngine

BLOCK = "lab/echo:1.0.0"


async def test_health_and_version_answer_without_a_worker(worker: HttpWorker) -> None:
    assert await worker.call("GET", "/health") == (200, {"healthy": True, "status": "ok"})
    assert await worker.call("GET", "/version") == (200, {"version": "0.42.1"})
    async with worker.session.get("/") as response:
        assert (response.status, response.content_type) == (200, "text/plain")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/blackboard/job"),
        ("PUT", "/blackboard/job"),
        ("POST", "/workflow-execution"),
        ("POST", "/workers/cleanup"),
        ("GET", "/health/more"),
        ("GET", "//health"),
    ],
)
async def test_everything_else_is_a_nest_like_404(worker: HttpWorker, method: str, path: str) -> None:
    assert await worker.call(method, worker.url + path) == (
        404,
        {"statusCode": 404, "message": f"Cannot {method} {path}", "error": "Not Found"},
    )


async def test_a_trailing_slash_changes_nothing(engine: DevEngine, worker: HttpWorker) -> None:
    engine.submit(block=BLOCK)
    for path in ("/health", "/workers", "/blackboard/jobs/active", "/function-blocks/registrations/list"):
        assert await worker.call("GET", path) == await worker.call("GET", f"{path}/")
    assert (await worker.call("POST", f"/workers/{worker.uuid}/ping/"))[0] == 200


async def test_an_empty_answer_has_no_body_and_a_content_type_clients_accept(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    body = {"jobExecutionId": job_id, "status": "success", "result": {"success": True}}
    async with worker.session.post("/blackboard/job/result", json=body) as response:
        assert (response.status, await response.read()) == (201, b"")
        assert response.headers["Content-Type"] == "application/json"


async def test_jobs_are_listed_by_status(engine: DevEngine, worker: HttpWorker) -> None:
    pushed, polled, pending = (engine.submit(block=BLOCK) for _ in range(3))
    await worker.poll(limit=2)
    await worker.push(pushed, success=False, message="m" * 2000, data={"a": 1}, retryable=False)
    expected = {"": [pushed, polled, pending], "?status=pending": [pending], "?status=polled": [polled]}
    for query, job_ids in {**expected, "/active": [polled, pending], "?status=pushed": [pushed]}.items():
        _, jobs = await worker.call("GET", f"/blackboard/jobs{query}")
        assert [job["jobId"] for job in jobs] == job_ids, query
    _, (job,) = await worker.call("GET", f"/workers/{worker.uuid}/jobs?status=pushed")
    assert (job["jobId"], job["resultStatus"]) == (pushed, "failed")
    assert (await worker.call("GET", "/blackboard/jobs?status=done"))[0] == 400
    _, result = await worker.call("GET", f"/blackboard/jobs/{pushed}/result")
    assert result == {
        "jobId": pushed,
        "resultStatus": "failed",
        "message": "m" * 2000,
        "data": {"a": 1},
        "retryable": False,
    }
    assert (await worker.call("GET", f"/blackboard/jobs/{pending}/result"))[1]["resultStatus"] is None
    assert (await worker.call("GET", "/blackboard/jobs/unknown/result"))[0] == 404


async def test_workers_can_be_listed_with_what_they_offer(worker: HttpWorker) -> None:
    _, (shown,) = await worker.call("GET", "/workers?populateFunctionBlocks=true")
    assert shown["functionBlockIds"] == [BLOCK]
    assert "functionBlockIds" not in (await worker.call("GET", "/workers"))[1][0]
    assert [one["uuid"] for one in (await worker.call("GET", "/workers/online"))[1]] == [worker.uuid]
    for path in ("/workers/unknown", "/workers/unknown/jobs", "/workers/unknown/function-blocks"):
        assert (await worker.call("GET", path))[0] == 404


async def test_log_entries_are_listed_and_incomplete_ones_refused(worker: HttpWorker) -> None:
    entry = {
        "workflowId": "lab/flow:1",
        "jobId": "j",
        "functionBlockId": BLOCK,
        "logEntry": "hello",
        "logLevel": "info",
        "timestamp": "2024-01-01T00:00:00.000Z",
    }
    assert await worker.call("POST", "/blackboard/job/log", entry) == (201, None)
    for field in entry:
        without = {key: value for key, value in entry.items() if key != field}
        status, answer = await worker.call("POST", "/blackboard/job/log", without)
        assert (status, field in answer["message"]) == (400, True)
    for wrong in ({"timestamp": "yesterday"}, {"workflowId": "flow"}, {"functionBlockId": "lab/echo"}):
        assert (await worker.call("POST", "/blackboard/job/log", {**entry, **wrong}))[0] == 400
    _, (logged,) = await worker.call("GET", "/dev/logs")
    assert {key: logged[key] for key in entry} == entry


async def test_the_claimed_jobs_of_a_worker_cost_the_same_however_many_it_has_ended(
    engine: DevEngine, worker: HttpWorker
) -> None:
    ended, claimed = engine.submit(block=BLOCK), engine.submit(block=BLOCK)
    await worker.poll(limit=2)
    await worker.push(ended)
    statements: list[str] = []
    jobs = engine._service_now().blackboard.jobs
    connection = jobs._database._connection
    connection.set_trace_callback(statements.append)
    path = f"/workers/{worker.uuid}/jobs"
    _, listed = await worker.call("GET", f"{path}?status=polled")
    connection.set_trace_callback(None)
    (read,) = [text for text in statements if "FROM jobs" in text]
    plan = connection.execute(f"EXPLAIN QUERY PLAN {read}").fetchall()
    assert "polled_jobs" in str([row[3] for row in plan])
    assert [job["jobId"] for job in listed] == [claimed]
    _, every = await worker.call("GET", path)
    assert [job["jobId"] for job in every] == [ended, claimed]
