"""What a request means: the job, its context and its limits."""

from typing import Any, Final

from pydantic import TypeAdapter

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.messages import RunOn
from supervisor.blockserver.requests import RunRequest
from supervisor.blockserver.single import next_job_id
from supervisor.jobs import Job
from supervisor.settings import RunSettings

_ENTITY_LISTS: Final = {"device": "devices", "interface": "interfaces", "group": "deviceGroups"}
_RUN_ON: Final[TypeAdapter[RunOn]] = TypeAdapter(RunOn)


def settings_of(request: RunRequest) -> RunSettings:
    """Return the daemon's defaults, with what the request has set. The environment and `.env` have no say in it."""
    wanted = {
        "max_job_seconds": request.max_seconds,
        "grace_seconds": request.grace_seconds,
        "max_job_memory_mb": request.max_memory_mb,
        "max_result_mb": request.max_result_mb,
        "log_level": request.log_level,
    }
    given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    return RunSettings.model_construct(**given)


def job_of(request: RunRequest, block: BlockEntry) -> Job:
    """Return the job that the request asks for."""
    run_on = request.run_on or block.run_on
    entity_id = request.entity_id
    return Job(
        job_id=next_job_id(),
        block_id=block.id,
        job_type=request.type,
        run_on=_RUN_ON.validate_python(run_on),
        parameters=dict(request.parameters),
        context=dict(request.context),
        entity_id=only_entity(run_on, request.context) if entity_id is None else entity_id,
    )


def only_entity(run_on: str, context: dict[str, Any]) -> int | float | None:
    """Return the id of the entity to run on where the context leaves no choice, else None."""
    entities = context.get(_ENTITY_LISTS.get(run_on, ""))
    if not isinstance(entities, list) or len(entities) != 1 or not isinstance(entities[0], dict):
        return None
    number = entities[0].get("id")
    return number if isinstance(number, int | float) else None
