"""What a block may ask the engine to acquire before any step runs.

A worker may send only two kinds (engine contract: results). Workflow definitions also have `expansion` and
`reference`, but the engine accepts neither from a worker.
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

    `query` is a query string of Elasticsearch. `limit` is the largest number of entities to take; engines from 0.43 on
    also accept a template string. `description` is a text for people. With `assert_not_empty` the run fails if the
    search finds nothing. Raises pydantic's `ValidationError` for anything else (engine contract: results).
    """

    type: Literal["elastic"] = "elastic"
    assert_not_empty: bool = False
    entity: EntityName
    description: str | None = None
    query: str
    limit: int | str | None = None


class EntityAcquireContext(_Acquire):
    """Acquire entities that are in the run's context already. A JMESPath `filter` chooses them.

    The filter is required because engines before 0.43 refuse an item without one (engine contract: results).
    With `assert_not_empty` the run fails if the filter chooses nothing. Raises pydantic's `ValidationError` for a kind
    of entity that does not exist, and for an empty filter.
    """

    type: Literal["context"] = "context"
    assert_not_empty: bool = False
    entity: EntityName
    description: str | None = None
    filter: str = Field(min_length=1)
