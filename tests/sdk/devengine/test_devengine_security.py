"""A web page must not be able to run a block, and passwords stay where they are needed."""

import asyncio
import json
import logging
import os
import stat
from pathlib import Path

import pytest
from devengine_support import HttpWorker, running_engine

from sdk.devengine import DevEngine, EngineOptions, EngineOptionsError
from tests.patience import PATIENCE_SECONDS

JSON = {"Content-Type": "application/json"}


def port_of(engine: DevEngine) -> int:
    return int(engine.url.rpartition(":")[2])


async def raw_status(engine: DevEngine, *lines: str) -> int:
    """Send a request line and headers exactly as given; return the status of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(engine))
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    answer = await asyncio.wait_for(reader.read(), timeout=PATIENCE_SECONDS)
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.0.0.1:3030", "[::1]:9"]
)
async def test_a_loopback_host_is_served(engine: DevEngine, host: str) -> None:
    assert await raw_status(engine, "GET /health HTTP/1.1", f"Host: {host}") == 200


@pytest.mark.parametrize(
    "lines",
    [
        ["Host: evil.example"],
        ["Host: evil.example:3030"],
        ["Host: 127.0.0.1.evil.example"],
        ["Host: 127.0.0.1@evil.example"],
        ["Host: localhost:"],
        ["Host: "],
        [],
    ],
    ids=lambda lines: "".join(lines) or "none",
)
async def test_another_host_is_refused_on_every_route(engine: DevEngine, lines: list[str]) -> None:
    assert await raw_status(engine, "GET /health HTTP/1.1", *lines) in (400, 403)
    assert await raw_status(engine, "POST /dev/jobs HTTP/1.1", *lines) in (400, 403)
    assert await raw_status(engine, "GET /no/such/route HTTP/1.1", *lines) in (400, 403)


async def test_a_page_that_points_its_own_name_at_loopback_gets_403(engine: DevEngine) -> None:
    lines = (
        "POST /dev/jobs HTTP/1.1",
        f"Host: evil.example:{port_of(engine)}",
        "Content-Type: application/json",
    )
    assert await raw_status(engine, *lines) == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:3030", ""])
async def test_a_request_with_an_origin_is_refused(worker: HttpWorker, origin: str) -> None:
    status, answer = await worker.call(
        "POST", "/dev/jobs", {"block": "lab/echo:1"}, headers={"Origin": origin}
    )
    assert (status, answer["error"]) == (403, "Forbidden")
    assert (await worker.call("GET", "/health", headers={"Origin": origin}))[0] == 403


async def test_a_preflight_gets_no_permission(worker: HttpWorker) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    async with worker.session.options("/dev/jobs", headers=headers) as response:
        assert response.status == 403
        assert not [name for name in response.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None],
)
async def test_a_body_that_is_not_declared_as_json_is_refused(
    engine: DevEngine, worker: HttpWorker, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = json.dumps({"block": "lab/echo:1", "parameters": {}}).encode()
    status, answer = await worker.call("POST", "/dev/jobs", data=body, headers=headers)
    assert (status, answer["statusCode"]) == (415, 415)
    assert engine.jobs() == []


async def test_a_charset_beside_json_is_fine(worker: HttpWorker) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    body = json.dumps({"block": "lab/echo:1"}).encode()
    assert (await worker.call("POST", "/dev/jobs", data=body, headers=headers))[0] == 201


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "127.0.0.1.example.org"])
def test_a_host_that_is_not_loopback_is_refused(host: str) -> None:
    with pytest.raises(EngineOptionsError, match="not a loopback address"):
        EngineOptions(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_only_loopback_is_listened_on(host: str) -> None:
    async with running_engine(host=host) as engine:
        assert engine.url.startswith("http://127.0.0.1:")


async def test_the_database_and_its_journal_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite3"
    path.touch(mode=0o644)
    path.chmod(0o644)
    mask = os.umask(0)
    try:
        async with running_engine(database=path) as engine:
            engine.submit(block="lab/echo:1.0.0")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert modes == {"engine.sqlite3": 0o600, "engine.sqlite3-wal": 0o600}


async def test_values_of_a_request_are_neither_echoed_nor_logged(
    engine: DevEngine, worker: HttpWorker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "hunter2"
    update = {"operation": secret, "entity": secret, "id": secret}
    bodies = {
        "/dev/jobs": {
            "block": secret,
            "context": {"devices": secret},
            "runOn": secret,
            "stepLabel": secret + "-",
        },
        "/blackboard/job/result": {
            "jobExecutionId": "j",
            "status": secret,
            "result": {"success": secret, "dbUpdates": {"updates": [update]}},
            "acquires": [{"type": secret}],
        },
        "/workers/register": {"version": {"password": secret}},
        "/function-blocks/register": {"name": [secret], "fbType": secret},
        "/blackboard/job/log": {"timestamp": secret, "jobId": 5, "workflowId": secret},
    }
    for path, body in bodies.items():
        status, answer = await worker.call("POST", path, body)
        assert status == 400, path
        assert secret not in json.dumps(answer), path
        cut = (json.dumps(body)[:-1] + ",").encode()
        status, answer = await worker.call("POST", path, data=cut, headers=JSON)
        assert (status, secret in json.dumps(answer)) == (400, False), path
    assert secret not in caplog.text


async def test_an_unexpected_error_is_answered_with_500_and_logged_without_values(
    engine: DevEngine, worker: HttpWorker, caplog: pytest.LogCaptureFixture
) -> None:
    engine._service_now().logs._database.execute("DROP TABLE logs")
    entry = {
        "workflowId": "lab/flow:1.0.0",
        "jobId": "j",
        "functionBlockId": "lab/echo:1.0.0",
        "logEntry": "hunter2",
        "logLevel": "info",
        "timestamp": "2024-01-01T00:00:00Z",
    }
    status, answer = await worker.call("POST", "/blackboard/job/log", entry)
    assert (status, answer["error"]) == (500, "Internal Server Error")
    assert "OperationalError" in caplog.text
    assert "hunter2" not in caplog.text
    assert await worker.ping() == 200
