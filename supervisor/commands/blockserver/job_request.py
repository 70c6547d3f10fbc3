"""Turns a request into a job, with its limits."""

from dataclasses import dataclass, field
from typing import Any, Final, cast

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.messages import JobType, RunOn
from supervisor.commands.blockserver.requests import RunRequest
from supervisor.commands.blockserver.single import next_job_id
from supervisor.job.job import Job
from supervisor.settings.run_settings import RunSettings

ENTITY_LISTS: Final = {"device": "devices", "interface": "interfaces", "group": "deviceGroups"}
_GROUPS_IN_PYTHON: Final = "device_groups"
"""What a context of the SDK calls its groups. It reads them from JSON by either name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for. A value of None follows from the block and the context."""

    job_type: JobType
    run_on: RunOn | None
    entity_id: int | float | None
    parameters: dict[str, Any] = field(repr=False)
    context: dict[str, Any] = field(repr=False)


def asked_in(request: RunRequest) -> Asked:
    """Return what a request to the block server asks for."""
    return Asked(
        request.type, request.run_on, request.entity_id, dict(request.parameters), dict(request.context)
    )


def settings_of(request: RunRequest) -> RunSettings:
    """Return the daemon's defaults with the request's settings. Environment and `.env` are ignored."""
    wanted = {
        "max_job_seconds": request.max_seconds,
        "grace_seconds": request.grace_seconds,
        "max_job_memory_mb": request.max_memory_mb,
        "max_job_cpu_seconds": request.max_cpu_seconds,
        "max_result_mb": request.max_result_mb,
        "stall_seconds": request.stall_seconds,
        "on_stall": request.on_stall,
        "log_level": request.log_level,
    }
    given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    return RunSettings.model_construct(**given)


def job_of(asked: Asked, block: BlockEntry) -> Job:
    """Return the job for `block`."""
    # A registration is checked against the same words (`sdk.registration.RunOn`).
    run_on = asked.run_on or cast("RunOn", block.run_on)
    entity_id = asked.entity_id
    if entity_id is None:
        entity_id = only_entity(run_on, asked.context)
    return Job(
        job_id=next_job_id(),
        block_id=block.id,
        job_type=asked.job_type,
        run_on=run_on,
        parameters=asked.parameters,
        context=asked.context,
        entity_id=entity_id,
    )


def only_entity(run_on: str, context: dict[str, Any]) -> int | float | None:
    """Return the id of the entity to run on if the context has only one, otherwise None."""
    entities = context.get(ENTITY_LISTS.get(run_on, ""))
    if entities is None and run_on == "group":
        entities = context.get(_GROUPS_IN_PYTHON)
    if not isinstance(entities, list) or len(entities) != 1 or not isinstance(entities[0], dict):
        return None
    number = entities[0].get("id")
    return number if isinstance(number, int | float) else None
