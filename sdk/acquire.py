"""What a block may ask the engine to acquire before any step runs.

A worker may send two kinds only (engine contract: results). `expansion` and `reference` exist in workflow
definitions, and the engine takes neither from a worker.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

EntityName = Literal["global", "device", "interface", "group", "client"]


class _Acquire(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", hide_input_in_errors=True
    )


class EntityAcquireByElasticQuery(_Acquire):
    """Acquire the entities that a search finds, among those of one kind (`entity`).

    `query` is a query string of Elasticsearch, `limit` the most entities to take (a number; engines from 0.43 on
    take a template string too), `description` a text for people. `assert_not_empty` makes the run fail when
    nothing is found. Raises pydantic's `ValidationError` for anything else (engine contract: results).
    """

    type: Literal["elastic"] = "elastic"
    assert_not_empty: bool = False
    entity: EntityName
    description: str | None = None
    query: str
    limit: int | str | None = None


class EntityAcquireContext(_Acquire):
    """Acquire entities that are in the run's context already, chosen by a JMESPath `filter`.

    The filter is required because engines before 0.43 refuse an item without one (engine contract: results).
    `assert_not_empty` makes the run fail when nothing is chosen. Raises pydantic's `ValidationError` for a kind of
    entity that does not exist, and for an empty filter.
    """

    type: Literal["context"] = "context"
    assert_not_empty: bool = False
    entity: EntityName
    description: str | None = None
    filter: str = Field(min_length=1)
