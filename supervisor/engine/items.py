"""The jobs of a poll, each read on its own from the raw JSON: a malformed one must not harm the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobrunner.protocol.messages import JobType, RunOn
from supervisor.job.job import Job
from supervisor.job.json_window import is_deeper_than

_LONGEST_TEXT_CHARS: Final = 1000
_DEEPEST_LEVELS: Final = 200
"""Far more than real jobs have, and few enough for all code that walks through a job by recursion."""


@dataclass(frozen=True, slots=True)
class MalformedJob:
    """A claimed job that can't be understood. Without `job_id` only the operator can be told."""

    job_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class LostJob:
    """A job that the engine gave to this worker, but the answer to the poll was lost."""

    job_id: str
    block_id: str


class _Item(BaseModel):
    """`JobDefinitionDto` as far as this worker needs it. Unknown fields are allowed: the engine may add some."""

    model_config = ConfigDict(extra="ignore", strict=True)

    # These travel in the header of the order, which has a size limit.
    job_id: str = Field(alias="jobId", min_length=1, max_length=_LONGEST_TEXT_CHARS)
    block_id: str = Field(alias="functionBlockId", min_length=1, max_length=_LONGEST_TEXT_CHARS)
    job_type: JobType = Field(alias="type")
    run_on: RunOn = Field(alias="runOn")
    parameters: dict[str, Any]
    context: dict[str, Any]
    entity_id: int | float | None = Field(default=None, alias="entityId")
    step_label: str | None = Field(default=None, alias="stepLabel", max_length=_LONGEST_TEXT_CHARS)


def parse_items(items: Sequence[object]) -> list[Job | MalformedJob]:
    """Read every item of a poll. Messages name fields, never their values: an item holds device passwords."""
    return [parse_item(item) for item in items]


def claimed_items(items: Sequence[object]) -> list[LostJob]:
    """Read the engine's list of a worker's jobs. Returns those that are claimed and have an id."""
    found: list[LostJob] = []
    for item in items:
        job_id = _job_id(item)
        if job_id is None or not isinstance(item, dict) or item.get("status", "polled") != "polled":
            continue
        block_id = item.get("functionBlockId")
        found.append(LostJob(job_id, block_id if isinstance(block_id, str) and _is_unicode(block_id) else ""))
    return found


def parse_item(item: object) -> Job | MalformedJob:
    """Read one item of a poll."""
    if is_deeper_than(_DEEPEST_LEVELS, item):
        reason = f"The engine sent a job that is nested more than {_DEEPEST_LEVELS} levels deep."
        return MalformedJob(_job_id(item), reason)
    try:
        parsed = _Item.model_validate(item)
    except ValidationError as error:
        problems = "; ".join(
            # Without the keys below a field: they are the engine's data, of any length, and may not be valid Unicode.
            f"{problem['loc'][0] if problem['loc'] else 'the item'}: {problem['msg']}"
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
    return value if isinstance(value, str) and value and _is_unicode(value) else None


def _is_unicode(text: str) -> bool:
    # JSON can hold half of a surrogate pair. Python's strings can hold it too, but no database column can.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
