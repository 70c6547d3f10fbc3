"""The read routes for workers, registrations and jobs (engine contract: routes that only read), health and version."""

from __future__ import annotations

from typing import get_args

from aiohttp import web

from sdk.devengine import wire
from sdk.devengine.errors import NotFoundError, RequestError
from sdk.devengine.guards import check_read_token
from sdk.devengine.handlers import Handler, add_route, answer, answer_empty
from sdk.devengine.identifiers import highest_match, parse_reference
from sdk.devengine.records import JobRecord, JobStatus, RegistrationRecord
from sdk.devengine.rules import WorkerState
from sdk.devengine.service import Service, service_of


async def hello(_: web.Request) -> web.StreamResponse:
    """Say who answers here."""
    return web.Response(text="neops embedded engine")


async def health(_: web.Request) -> web.StreamResponse:
    """Answer in both forms that the sources name: `healthy` (clients) and `status` (documents)."""
    return answer({"healthy": True, "status": "ok"})


async def version(request: web.Request) -> web.StreamResponse:
    """Return the version that the engine claims to have."""
    return answer({"version": service_of(request).options.engine_version})


async def workers(request: web.Request) -> web.StreamResponse:
    """List the workers; with `populateFunctionBlocks` also what each offers."""
    service = service_of(request)
    found = service.blackboard.workers.all(with_deleted=_flag(request, "findDeleted"))
    listed = [wire.worker(record) for record in found]
    if _flag(request, "populateFunctionBlocks"):
        for item in listed:
            item["functionBlockIds"] = _block_ids(service, item["uuid"])
    return answer(listed)


async def online_workers(request: web.Request) -> web.StreamResponse:
    """List the workers that get jobs now."""
    found = service_of(request).blackboard.workers.all()
    return answer([wire.worker(record) for record in found if record.state is WorkerState.ONLINE])


async def worker(request: web.Request) -> web.StreamResponse:
    """Return one worker."""
    with_deleted = _flag(request, "findDeleted")
    return answer(
        wire.worker(service_of(request).roster.worker(request.match_info["uuid"], with_deleted=with_deleted))
    )


async def worker_blocks(request: web.Request) -> web.StreamResponse:
    """List the ids of the blocks that a worker offers."""
    service = service_of(request)
    found = service.roster.worker(request.match_info["uuid"], with_deleted=True)
    return answer(_block_ids(service, found.uuid))


async def worker_jobs(request: web.Request) -> web.StreamResponse:
    """List the jobs that a worker claimed."""
    service = service_of(request)
    found = service.roster.worker(request.match_info["uuid"], with_deleted=True)
    return _answer_jobs(service, service.blackboard.jobs.of_worker(found.uuid, _job_status(request)))


async def delete_worker(request: web.Request) -> web.StreamResponse:
    """Soft-delete a worker; its next ping is answered 404."""
    service_of(request).roster.delete(request.match_info["uuid"])
    return answer_empty(204)


async def registrations(request: web.Request) -> web.StreamResponse:
    """List the registrations, all or of one package or name; optionally with the workers."""
    service = service_of(request)
    package, name = request.query.get("package"), request.query.get("name")
    found = [
        record
        for record in service.blackboard.registrations.all()
        if package in (None, record.block.package) and name in (None, record.block.name)
    ]
    listed = [wire.registration(record) for record in found]
    if _flag(request, "populateWorkers"):
        for item, record in zip(listed, found, strict=True):
            item["workers"] = _offering(service, record)
            # Only this engine has it. A registration, and with it its worker, stays when the worker lost the block.
            item["isOffered"] = service.blackboard.is_offered(str(record.block))
    return answer(listed)


async def registration(request: web.Request) -> web.StreamResponse:
    """Return one registration."""
    return answer(wire.registration(_named_block(request)))


async def block(request: web.Request) -> web.StreamResponse:
    """Return one block."""
    return answer(wire.block(_named_block(request)))


async def block_workers(request: web.Request) -> web.StreamResponse:
    """List the workers that offer a block."""
    return answer(_offering(service_of(request), _named_block(request)))


async def jobs(request: web.Request) -> web.StreamResponse:
    """List the jobs, all or of one status."""
    service = service_of(request)
    return _answer_jobs(service, service.blackboard.jobs.all(_job_status(request)))


async def active_jobs(request: web.Request) -> web.StreamResponse:
    """List the pending and the polled jobs; recently pushed ones are left out (engine contract: what is not known)."""
    service = service_of(request)
    return _answer_jobs(service, service.blackboard.jobs.unfinished())


async def job_result(request: web.Request) -> web.StreamResponse:
    """Return the result of a job, with its secrets masked."""
    blackboard = service_of(request).blackboard
    record = blackboard.jobs.get(request.match_info["job_id"])
    if record is None:
        raise NotFoundError("the engine does not know this job")
    return answer(wire.job_result(record, blackboard.sensitive_parameters(record.block)))


def add_read_routes(app: web.Application) -> None:
    """Serve the read routes. Fixed paths come before those with a placeholder in the same place."""
    for path, handler in {"/": hello, "/health": health, "/version": version}.items():
        add_route(app, "GET", path, handler)
    for path, handler in {
        "/workers": workers,
        "/workers/online": online_workers,
        "/workers/{uuid}/function-blocks": worker_blocks,
        "/function-blocks/registrations/list": registrations,
        "/function-blocks/registrations/{package}/{name}/{version}": registration,
        "/function-blocks/{package}/{name}/{version}/workers": block_workers,
        "/function-blocks/{package}/{name}/{version}": block,
        "/blackboard/jobs": jobs,
        "/blackboard/jobs/active": active_jobs,
        "/blackboard/jobs/{job_id}/result": job_result,
    }.items():
        add_route(app, "GET", path, _with_token(handler))
    add_route(app, "GET", "/workers/{uuid}/jobs", _with_token(worker_jobs), name="worker_jobs")
    add_route(app, "GET", "/workers/{uuid}", _with_token(worker))
    add_route(app, "DELETE", "/workers/{uuid}", _with_token(delete_worker))


def _with_token(handler: Handler) -> Handler:
    async def checked(request: web.Request) -> web.StreamResponse:
        check_read_token(request, service_of(request).options.read_token)
        return await handler(request)

    return checked


def _flag(request: web.Request, name: str) -> bool:
    return request.query.get(name, "false").lower() == "true"


def _job_status(request: web.Request) -> JobStatus | None:
    wanted = request.query.get("status")
    if wanted is None:
        return None
    for status in get_args(JobStatus):
        if status == wanted:
            found: JobStatus = status
            return found
    raise RequestError(f"status must be one of {', '.join(get_args(JobStatus))}")


def _answer_jobs(service: Service, found: list[JobRecord]) -> web.Response:
    holders = {record.uuid: record for record in service.blackboard.workers.all(with_deleted=True)}
    return answer([wire.job(job, holders.get(job.worker_id or "")) for job in found])


def _block_ids(service: Service, worker_id: str) -> list[str]:
    return [str(record.block) for record in service.blackboard.registrations.of_worker(worker_id)]


def _offering(service: Service, record: RegistrationRecord) -> list[wire.Json]:
    known = [service.blackboard.workers.get(identity) for identity in record.worker_ids]
    return [wire.worker(found) for found in known if found is not None]


def _named_block(request: web.Request) -> RegistrationRecord:
    parts = request.match_info
    reference = parse_reference(f"{parts['package']}/{parts['name']}:{parts['version']}")
    known = service_of(request).blackboard.registrations.named(reference.package, reference.name)
    found = highest_match(reference, [record.block for record in known])
    for record in known:
        if record.block == found:
            return record
    raise NotFoundError(f"no registered block matches {reference}")
