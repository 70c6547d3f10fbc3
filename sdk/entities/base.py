"""What all entities share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from sdk.sensitive import learn_field


def _number(value: Any) -> Any:
    # pydantic would accept "5" and True as numbers. For an id, both are mistakes that an author should hear about.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("int_type", "Input should be a number")
    return value


EntityId = Annotated[int, BeforeValidator(_number), Field(ge=1)]
"""A whole number from 1 up. `5.0` is 5: JSON has only one number type, and the engine's ids have it."""

Number = int | float
"""A number of JSON. An integer stays an integer."""


class Entity(BaseModel):
    """Base of the models in a job's context: models of the engine's JSON, in which all but the id may be None.

    Attributes are snake_case, keys on the wire camelCase (engine contract: entities). Only the id is
    required. Keys that this SDK does not know are kept and readable, but changes to them are not sent.
    Assignments are validated (pydantic's `ValidationError`). An attribute that does not exist can't be set
    (`AttributeError`): a typo must not look like a change.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        validate_assignment=True,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )

    id: EntityId = Field(frozen=True)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    permission: Number | None = None
    permission_flags: list[str] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        known = name in type(self).model_fields or name in (self.model_extra or {}) or name.startswith("_")
        if not known:
            fields = ", ".join(type(self).model_fields)
            raise AttributeError(f"{type(self).__name__} has no field {name!r}. Its fields: {fields}.")
        # Before the assignment: if the value is refused, the error must not show it.
        learn_field(type(self), name, value)
        super().__setattr__(name, value)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Only fields that are set, and no unknown keys: their values may be secret."""
        for name, value in super().__repr_args__():
            if value is not None and name in type(self).model_fields:
                yield name, value
