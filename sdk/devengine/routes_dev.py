"""The embedded engine's own routes: submit jobs, look at them, and, for tests, order faults."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field, TypeAdapter

from sdk.devengine import wire
from sdk.devengine.errors import DatabaseError, EngineOptionsError, NotFoundError, RequestError
from sdk.devengine.faults import Fault, FaultRoute
from sdk.devengine.handlers import add_route, answer, read_body
from sdk.devengine.payloads.reader import Body, parse_json, validate
from sdk.devengine.payloads.submissions import SUBMISSION, SUBMISSIONS
from sdk.devengine.service import service_of


class FaultOrder(Body):
    """A `Fault` in camelCase."""

    route: FaultRoute
    status: int | None = None
    times: int = 1
    delay_seconds: Annotated[float, Field(ge=0)] = 0.0
    drop: Literal["before", "after"] | None = None
    body: Any = None
    content_type: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    handle: bool = False
    answer_delay_seconds: Annotated[float, Field(ge=0)] = 0.0
    hang: bool = False


class BackupOrder(Body):
    """The name of the copy of the database, between `backup-` and `.sqlite3`."""

    name: Annotated[str, Field(pattern="^[0-9a-z]{8,64}$")]


BACKUP_ORDER: TypeAdapter[BackupOrder] = TypeAdapter(BackupOrder)
FAULT_ORDER: TypeAdapter[FaultOrder] = TypeAdapter(FaultOrder)


async def submit_jobs(request: web.Request) -> web.StreamResponse:
    """Create one job or a list of them, all or none; answer with their ids."""
    value = parse_json(await request.read())
    submissions = validate(SUBMISSIONS, value) if isinstance(value, list) else [validate(SUBMISSION, value)]
    return answer({"jobIds": service_of(request).blackboard.submit(submissions)}, 201)


async def job(request: web.Request) -> web.StreamResponse:
    """Return everything known of a job, with its secrets masked; with `withoutInput`, all but what was submitted."""
    blackboard = service_of(request).blackboard
    record = blackboard.jobs.get(request.match_info["job_id"])
    if record is None:
        raise NotFoundError("the engine does not know this job")
    holder = blackboard.workers.get(record.worker_id or "", with_deleted=True)
    attempts = blackboard.jobs.earlier_attempts(record.job_id)
    sensitive = blackboard.sensitive_parameters(record.block)
    waits_for = blackboard.waits_for(record)
    with_input = request.query.get("withoutInput") != "true"
    shown = wire.job_in_full(record, holder, attempts, sensitive, with_input=with_input)
    return answer({**shown, "waitsFor": waits_for})


async def logs(request: web.Request) -> web.StreamResponse:
    """List the log entries that workers sent."""
    return answer([wire.log(record) for record in service_of(request).logs.all()])


async def back_up(request: web.Request) -> web.StreamResponse:
    """Copy the database to a private file of this name beside it. The caller reads the file as the owner's user.

    The copy is not in the answer: it has the passwords of all jobs, and a user who may submit a job must not see them.
    """
    order, _ = await read_body(request, BACKUP_ORDER)
    try:
        path = service_of(request).database.copy_beside(f"backup-{order.name}.sqlite3")
    except DatabaseError as error:
        raise RequestError(str(error)) from error
    return answer({"file": path.name}, 201)


async def order_fault(request: web.Request) -> web.StreamResponse:
    """Add a fault."""
    order, _ = await read_body(request, FAULT_ORDER)
    try:
        fault = Fault(**order.model_dump())
    except EngineOptionsError as error:
        raise RequestError(str(error)) from error
    faults = service_of(request).faults
    faults.add(fault)
    return answer({"waiting": faults.waiting}, 201)


async def clear_faults(request: web.Request) -> web.StreamResponse:
    """Forget the faults that have not happened yet."""
    return answer({"cleared": service_of(request).faults.clear()})


async def recorded_requests(request: web.Request) -> web.StreamResponse:
    """List the recorded requests, without their bodies; with `?route=poll` only those of one route."""
    route = request.query.get("route")
    records = service_of(request).request_log.records()
    return answer([wire.request(record) for record in records if route in (None, record.route)])


def add_dev_routes(app: web.Application, *, test_controls: bool) -> None:
    """Serve `/dev`; faults and recorded requests only if the engine was started for tests."""
    add_route(app, "POST", "/dev/jobs", submit_jobs)
    add_route(app, "GET", "/dev/jobs/{job_id}", job)
    add_route(app, "GET", "/dev/logs", logs)
    add_route(app, "POST", "/dev/backup", back_up)
    if test_controls:
        add_route(app, "POST", "/dev/faults", order_fault)
        add_route(app, "DELETE", "/dev/faults", clear_faults)
        add_route(app, "GET", "/dev/requests", recorded_requests)
