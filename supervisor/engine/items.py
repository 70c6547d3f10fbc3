"""The jobs of a poll, each read on its own from the raw JSON: a malformed one must not take others along."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobrunner.protocol.messages import JobType, RunOn
from supervisor.jobs import Job


@dataclass(frozen=True, slots=True)
class MalformedJob:
    """A claimed job that can't be understood. Without ``job_id`` there is nobody to tell but the operator."""

    job_id: str | None
    reason: str


class _Item(BaseModel):
    """``JobDefinitionDto`` as far as this worker needs it. Unknown fields are the engine's to add."""

    model_config = ConfigDict(extra="ignore", strict=True)

    job_id: str = Field(alias="jobId", min_length=1)
    block_id: str = Field(alias="functionBlockId", min_length=1)
    job_type: JobType = Field(alias="type")
    run_on: RunOn = Field(alias="runOn")
    parameters: dict[str, Any]
    context: dict[str, Any]
    entity_id: int | float | None = Field(default=None, alias="entityId")
    step_label: str | None = Field(default=None, alias="stepLabel")


def parse_items(items: Sequence[object]) -> list[Job | MalformedJob]:
    """Read every item of a poll. Messages name fields, never their values: an item holds device passwords."""
    return [_parse(item) for item in items]


def _parse(item: object) -> Job | MalformedJob:
    try:
        parsed = _Item.model_validate(item)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the item'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)[:5]
        )
        return MalformedJob(_job_id(item), f"The engine sent a job that this worker can't read ({problems}).")
    return Job(
        job_id=parsed.job_id,
        block_id=parsed.block_id,
        job_type=parsed.job_type,
        run_on=parsed.run_on,
        parameters=parsed.parameters,
        context=parsed.context,
        entity_id=parsed.entity_id,
        step_label=parsed.step_label,
    )


def _job_id(item: object) -> str | None:
    value = item.get("jobId") if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None
