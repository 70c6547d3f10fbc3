"""The routes that a worker calls: W1 to W8 of the engine contract.

The success codes are exact. A generated client reads an unlisted 2xx as an empty answer without an error. If a poll
were answered with 200, its claimed jobs would be lost (engine contract: status codes).
"""

from __future__ import annotations

from aiohttp import web

from sdk.devengine import wire
from sdk.devengine.handlers import add_route, answer, answer_empty, answer_text, read_body
from sdk.devengine.payloads.results import JOB_RESULT
from sdk.devengine.payloads.workers import (
    BLOCK_REGISTRATION,
    LOG_ENTRY,
    POLL,
    VERSION_QUERY,
    WORKER_REGISTRATION,
)
from sdk.devengine.records import LogRecord
from sdk.devengine.service import service_of

_CREATED = 201


async def check_compatibility(request: web.Request) -> web.StreamResponse:
    """W1: every client is accepted; a fault can change that."""
    query, _ = await read_body(request, VERSION_QUERY)
    compatibility = {
        "compatible": True,
        "deprecated": False,
        "version": service_of(request).options.engine_version,
        "checkedLibrary": query.library,
        "checkedVersion": query.version,
        # Not in the contract; clients ignore fields that they do not know.
        "takesSensitiveParameters": True,
    }
    return answer(compatibility, _CREATED)


async def register_worker(request: web.Request) -> web.StreamResponse:
    """W2: a new worker with a fresh uuid."""
    body, _ = await read_body(request, WORKER_REGISTRATION)
    return answer(wire.worker(service_of(request).roster.register(body)), _CREATED)


async def register_block(request: web.Request) -> web.StreamResponse:
    """W3: a block that a worker offers."""
    body, _ = await read_body(request, BLOCK_REGISTRATION)
    service_of(request).roster.register_block(body)
    return answer_empty(_CREATED)


async def ping(request: web.Request) -> web.StreamResponse:
    """W4: the worker is alive."""
    service_of(request).roster.ping(request.match_info["uuid"])
    return answer({"success": True})


async def poll(request: web.Request) -> web.StreamResponse:
    """W5: claim jobs. They are bound to the worker before the answer is sent."""
    body, _ = await read_body(request, POLL)
    blocks = [named.block for named in body.function_block_ids]
    items = service_of(request).blackboard.poll(body.worker_id, blocks, body.limit)
    return answer_text(f"[{','.join(items)}]", _CREATED)


async def accept_result(request: web.Request) -> web.StreamResponse:
    """W6: the first result of a job wins."""
    result, text = await read_body(request, JOB_RESULT)
    service_of(request).blackboard.accept_result(result, text)
    return answer_empty(_CREATED)


async def append_log(request: web.Request) -> web.StreamResponse:
    """W7: one line of a job's log."""
    body, _ = await read_body(request, LOG_ENTRY)
    service = service_of(request)
    service.logs.append(
        LogRecord(
            workflow_id=body.workflow_id,
            job_id=body.job_id,
            block=body.function_block_id,
            entry=body.log_entry,
            level=body.log_level,
            timestamp=body.timestamp,
            received_at=service.clock(),
        )
    )
    return answer_empty(_CREATED)


async def unregister(request: web.Request) -> web.StreamResponse:
    """W8: the worker is offline at once."""
    service_of(request).roster.unregister(request.match_info["uuid"])
    return answer({"success": True})


def add_worker_routes(app: web.Application) -> None:
    """Serve W1 to W8. The names are those of `faults.FaultRoute`."""
    add_route(app, "POST", "/version/compatibility", check_compatibility, name="compatibility")
    add_route(app, "POST", "/workers/register", register_worker, name="register")
    add_route(app, "POST", "/function-blocks/register", register_block, name="register_block")
    add_route(app, "POST", "/workers/{uuid}/ping", ping, name="ping")
    add_route(app, "POST", "/blackboard/job", poll, name="poll")
    add_route(app, "POST", "/blackboard/job/result", accept_result, name="result")
    add_route(app, "POST", "/blackboard/job/log", append_log, name="log")
    add_route(app, "POST", "/workers/{uuid}/unregister", unregister, name="unregister")
