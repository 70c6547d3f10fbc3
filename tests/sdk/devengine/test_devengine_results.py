"""What a result may look like: a worker must learn of every mistake here, not from the real engine."""

import io
import json

import pytest
from devengine_support import HttpWorker

from sdk.devengine import DevEngine

BLOCK = "lab/echo:1.0.0"
RESULT: dict[str, object] = {"jobExecutionId": "j", "status": "success", "result": {"success": True}}
PATCH = {"operation": "patch", "entity": "device", "id": 1, "path": "vendor", "value": None}


def with_updates(*updates: object) -> dict[str, object]:
    return {**RESULT, "result": {"success": True, "dbUpdates": {"updates": list(updates)}}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({**RESULT, "status": "success-ack"}, "status"),
        ({**RESULT, "status": "done"}, "status"),
        ({**RESULT, "result": {"success": "true"}}, "result.success"),
        ({**RESULT, "result": {"success": 1}}, "result.success"),
        ({**RESULT, "result": {}}, "result.success"),
        ({**RESULT, "result": {"success": True, "message": 5}}, "result.message"),
        ({**RESULT, "result": {"success": True, "data": [1]}}, "result.data"),
        ({**RESULT, "result": {"success": True, "retryable": "no"}}, "result.retryable"),
        ({**RESULT, "jobExecutionId": 5}, "jobExecutionId"),
        ({"status": "success", "result": {"success": True}}, "jobExecutionId"),
        ({"jobExecutionId": "j", "status": "success"}, "result"),
        ({**RESULT, "acquires": [{"type": "expansion", "entity": "device"}]}, "acquires.0"),
        ({**RESULT, "acquires": [{"type": "elastic", "entity": "device"}]}, "acquires.0.elastic.query"),
        (with_updates({**PATCH, "operation": "upsert"}), "dbUpdates.updates.0"),
        (with_updates(PATCH, {**PATCH, "entity": "switch"}), "dbUpdates.updates.1.patch.entity"),
        (with_updates({**PATCH, "id": 0}), "dbUpdates.updates.0.patch.id"),
        (with_updates({**PATCH, "id": "1"}), "dbUpdates.updates.0.patch.id"),
        (with_updates({"operation": "patch", "entity": "device", "id": 1}), "dbUpdates.updates.0.patch.path"),
        (
            with_updates({"operation": "create", "entity": "device", "id": 1}),
            "dbUpdates.updates.0.create.data",
        ),
        ([RESULT], "body"),
        ("text", "body"),
    ],
)
async def test_a_result_of_a_wrong_shape_is_refused_and_the_field_is_named(
    worker: HttpWorker, body: object, message: str
) -> None:
    status, answer = await worker.call("POST", "/blackboard/job/result", body)
    assert status == 400, answer
    assert message in json.dumps(answer["message"])


@pytest.mark.parametrize(
    "text",
    [
        b'{"jobExecutionId":"j","status":"success","result":{"success":true,"data":{"x":NaN}}}',
        b'{"jobExecutionId":"j","status":"success","result":{"success":true,"data":{"x":-Infinity}}}',
        b'{"jobExecutionId":"j","status":"success","result":{"success":true,"data":{"x":1e999}}}',
        b'{"jobExecutionId":"j","status":"success","result":{"success":true,"data":{"x":'
        + b"9" * 5000
        + b"}}}",
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"jobExecutionId":"\xff"}',
        b"{truncated",
        b"",
    ],
    ids=["NaN", "infinity", "too large", "too long", "too deep", "not UTF-8", "not JSON", "empty"],
)
async def test_a_body_that_is_not_json_is_refused(worker: HttpWorker, text: bytes) -> None:
    status, answer = await worker.call(
        "POST", "/blackboard/job/result", data=text, headers={"Content-Type": "application/json"}
    )
    assert status == 400
    assert "body" in answer["message"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_is_not_compressed_as_it_says_is_refused(worker: HttpWorker, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    status, answer = await worker.call(
        "POST", "/blackboard/job/result", data=b"not compressed", headers=headers
    )
    assert (status, "compression" in answer["message"]) == (400, True)
    assert (await worker.call("GET", "/health"))[0] == 200


async def test_text_that_no_database_can_hold_is_refused(worker: HttpWorker) -> None:
    status, answer = await worker.call("POST", "/workers/register", {"version": "\ud800"})
    assert (status, "surrogate" in answer["message"]) == (400, True)


async def test_all_kinds_of_updates_and_acquires_are_accepted(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    create = {
        "operation": "create",
        "entity": "interface",
        "id": 20_000_000,
        "data": {"name": "eth0"},
        "identifierFields": ["name"],
        "skipIfIdentifierExists": False,
    }
    updates = [
        create,
        PATCH,
        {**PATCH, "value": [1, None]},
        {"operation": "delete", "entity": "group", "id": 3},
    ]
    body = {
        "jobExecutionId": job_id,
        "status": "success",
        "result": {"success": True, "message": None, "retryable": False, "dbUpdates": {"updates": updates}},
        "acquires": [
            {"type": "elastic", "entity": "device", "query": "vendor:x", "limit": 5, "assertNotEmpty": True},
            {"type": "context", "entity": "device", "assertNotEmpty": False, "filter": "[?id]"},
        ],
    }
    assert await worker.call("POST", "/blackboard/job/result", body) == (201, None)


async def test_a_large_result_is_accepted_up_to_the_cap(engine: DevEngine, worker: HttpWorker) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    statuses = []
    for mebibytes in (33, 30):
        body = {**RESULT, "jobExecutionId": job_id}
        body["result"] = {"success": True, "data": {"text": "x" * (mebibytes * 2**20)}}
        status, _ = await worker.call(
            "POST",
            "/blackboard/job/result",
            data=io.BytesIO(json.dumps(body).encode()),
            headers={"Content-Type": "application/json"},
        )
        statuses.append(status)
    assert statuses == [413, 201]
