"""The result of a job (contract W6). This body is checked most strictly, to show a worker's mistakes here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from sdk.devengine.payloads.reader import Body

EntityType = Literal["global", "device", "interface", "group", "client"]
EntityId = Annotated[int | float, Field(ge=1)]


class CreateUpdate(Body):
    """A new entity; `id` is a temporary id that the worker chose."""

    operation: Literal["create"]
    entity: EntityType
    id: EntityId
    data: dict[str, Any]
    identifier_fields: list[str] | None = None
    skip_if_identifier_exists: bool | None = None


class PatchUpdate(Body):
    """A changed field; the value may be null."""

    operation: Literal["patch"]
    entity: EntityType
    id: EntityId
    path: Annotated[str, Field(min_length=1)]
    value: Any = None


class DeleteUpdate(Body):
    """An entity to delete."""

    operation: Literal["delete"]
    entity: EntityType
    id: EntityId


Update = Annotated[CreateUpdate | PatchUpdate | DeleteUpdate, Field(discriminator="operation")]


class DbUpdates(Body):
    """The database updates of a job."""

    updates: list[Update] | None = None


class ElasticAcquire(Body):
    """Entities found by a query; `limit` is a number or a template (0.43)."""

    type: Literal["elastic"]
    entity: EntityType
    query: str
    assert_not_empty: bool | None = None
    description: str | None = None
    limit: int | float | str | None = None


class ContextAcquire(Body):
    """Entities found by a filter over the context."""

    type: Literal["context"]
    entity: EntityType
    assert_not_empty: bool | None = None
    description: str | None = None
    filter: str | None = None


Acquire = Annotated[ElasticAcquire | ContextAcquire, Field(discriminator="type")]


class ResultDetails(Body):
    """The outcome of the job."""

    success: bool
    message: str | None = None
    data: dict[str, Any] | None = None
    db_updates: DbUpdates | None = None
    retryable: bool | None = None


class JobResult(Body):
    """The whole result. The `-ack` statuses belong to the engine; a worker must not send them."""

    job_execution_id: str
    status: Literal["success", "failed"]
    result: ResultDetails
    acquires: list[Acquire] | None = None


JOB_RESULT: TypeAdapter[JobResult] = TypeAdapter(JobResult)
