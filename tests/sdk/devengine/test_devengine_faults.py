"""The engine misbehaves on order: exactly as often, exactly there, and says so in its request log."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest
from devengine_support import HttpWorker, running_engine

from sdk.devengine import DevEngine, EngineOptionsError, Fault

BLOCK = "lab/echo:1.0.0"


async def test_a_status_is_answered_so_many_times_and_nothing_is_handled(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    engine.faults.add(Fault(route="poll", status=503, times=2, headers={"Retry-After": "2"}))
    for _ in range(2):
        async with worker.session.post("/blackboard/job", json={}) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "2")
            assert (await response.json())["statusCode"] == 503
    assert engine.job(job_id).status == "pending"
    assert (await worker.poll())[0] == 201
    assert engine.job(job_id).status == "polled"
    assert engine.faults.waiting == 0


async def test_faults_of_a_route_happen_in_order_and_leave_other_routes_alone(
    engine: DevEngine, worker: HttpWorker
) -> None:
    engine.faults.add(Fault(route="ping", status=500))
    engine.faults.add(Fault(route="ping", status=429))
    assert (await worker.poll())[0] == 201
    assert [await worker.ping() for _ in range(3)] == [500, 429, 200]


@pytest.mark.parametrize(
    ("route", "method_path"),
    [
        ("compatibility", "/version/compatibility"),
        ("register", "/workers/register"),
        ("register_block", "/function-blocks/register"),
        ("ping", "/workers/x/ping"),
        ("poll", "/blackboard/job/"),
        ("result", "/blackboard/job/result"),
        ("log", "/blackboard/job/log"),
        ("unregister", "/workers/x/unregister/"),
    ],
)
async def test_every_worker_route_can_fail(
    engine: DevEngine, worker: HttpWorker, route: Any, method_path: str
) -> None:
    engine.faults.add(Fault(route=route, status=418))
    assert (await worker.call("POST", method_path, {}))[0] == 418


async def test_a_status_that_no_standard_names_is_answered_as_it_is(
    engine: DevEngine, worker: HttpWorker
) -> None:
    engine.faults.add(Fault(route="poll", status=520))
    async with worker.session.post("/blackboard/job", json={}) as response:
        assert response.status == 520
        assert (await response.json())["message"] == "ordered by a fault"


async def test_a_body_replaces_the_answer(engine: DevEngine, worker: HttpWorker) -> None:
    engine.faults.add(Fault(route="poll", body="<html>proxy</html>", content_type="text/html", status=200))
    engine.faults.add(Fault(route="compatibility", body={"compatible": False}))
    async with worker.session.post("/blackboard/job", json={}) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert await response.text() == "<html>proxy</html>"
    assert await worker.call("POST", "/version/compatibility", {}) == (201, {"compatible": False})


async def test_a_handled_request_can_be_answered_with_another_status(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    engine.faults.add(Fault(route="poll", status=200, handle=True))
    status, (item,) = await worker.poll()
    assert (status, item["jobId"], engine.job(job_id).status) == (200, job_id, "polled")


async def test_a_connection_dropped_before_handling_changes_nothing(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    engine.faults.add(Fault(route="poll", drop="before"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await worker.poll()
    assert engine.job(job_id).status == "pending"
    assert engine.requests[-1].status is None


async def test_a_connection_dropped_after_handling_leaves_the_commit(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    engine.faults.add(Fault(route="result", drop="after"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await worker.push(job_id)
    assert engine.job(job_id).status == "pushed"
    assert (await worker.push(job_id))[0] == 409


@pytest.mark.parametrize(
    ("field", "state"), [("delay_seconds", "pending"), ("answer_delay_seconds", "polled")]
)
async def test_a_delay_is_before_handling_or_before_answering(
    engine: DevEngine, worker: HttpWorker, field: str, state: str
) -> None:
    job_id = engine.submit(block=BLOCK)
    engine.faults.add(Fault(route="poll", **{field: 1.0}))
    began = time.monotonic()
    polling = asyncio.create_task(worker.poll())
    while engine.faults.waiting:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    assert engine.job(job_id).status == state
    assert (await polling)[0] == 201
    assert time.monotonic() - began >= 1.0


async def test_cleared_faults_do_not_happen(engine: DevEngine, worker: HttpWorker) -> None:
    engine.faults.add(Fault(route="ping", status=500, times=1000))
    assert await worker.ping() == 500
    assert engine.faults.clear() == 999
    assert await worker.ping() == 200


@pytest.mark.parametrize("wrong", [{"route": "polls"}, {"times": 0}, {"status": 99}])
def test_a_fault_that_could_never_happen_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(EngineOptionsError, match=next(iter(wrong))):
        Fault(**{"route": "poll", **wrong})


async def test_requests_are_recorded_with_body_status_and_time(engine: DevEngine, worker: HttpWorker) -> None:
    engine.clear_requests()
    before = time.monotonic()
    await worker.poll(limit=3)
    await worker.call("GET", "/blackboard/jobs?status=nonsense")
    poll, read = engine.requests
    assert (poll.method, poll.path, poll.route, poll.status) == ("POST", "/blackboard/job", "poll", 201)
    assert json.loads(poll.body_text)["limit"] == 3
    assert before <= poll.monotonic_seconds <= time.monotonic()
    assert 0 < poll.engine_seconds < 10
    assert abs(poll.epoch_seconds - time.time()) < 60
    assert (read.path, read.route, read.status) == ("/blackboard/jobs?status=nonsense", "", 400)


async def test_nothing_is_recorded_when_that_is_off() -> None:
    async with (
        running_engine(record_requests=False) as engine,
        HttpWorker(engine.url, engine.token_file) as worker,
    ):
        await worker.register()
        assert engine.requests == []


async def test_test_controls_order_and_clear_faults_over_http() -> None:
    async with (
        running_engine(test_controls=True) as engine,
        HttpWorker(engine.url, engine.token_file) as worker,
    ):
        await worker.register()
        order = {
            "route": "ping",
            "status": 503,
            "times": 3,
            "delaySeconds": 0,
            "headers": {"Retry-After": "1"},
        }
        assert await worker.call("POST", "/dev/faults", order) == (201, {"waiting": 3})
        assert await worker.ping() == 503
        assert await worker.call("DELETE", "/dev/faults") == (200, {"cleared": 2})
        assert await worker.ping() == 200
        for wrong in (
            {"route": "polls"},
            {"route": "ping", "times": 0},
            {"route": "ping", "delaySeconds": -1},
        ):
            assert (await worker.call("POST", "/dev/faults", wrong))[0] == 400
        _, recorded = await worker.call("GET", "/dev/requests?route=ping")
        assert [item["status"] for item in recorded] == [503, 200]
        assert len((await worker.call("GET", "/dev/requests"))[1]) > 4


async def test_without_test_controls_their_routes_do_not_exist(worker: HttpWorker) -> None:
    for method, path in (("POST", "/dev/faults"), ("DELETE", "/dev/faults"), ("GET", "/dev/requests")):
        assert (await worker.call(method, path))[0] == 404
