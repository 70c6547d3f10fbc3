"""How one entity names another."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer
from pydantic.alias_generators import to_camel

from sdk.entities.base import EntityId


class Reference(BaseModel):
    """Base of references. Written without nulls, because the CMS searches by the given fields."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        validate_assignment=True,
        hide_input_in_errors=True,
    )

    @model_serializer(mode="wrap")
    def _without_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


class EntityReference(Reference):
    """Any entity, by its id. Written without fields that are None, because the CMS searches by the given fields."""

    id: EntityId | None = None


class DeviceReference(Reference):
    """A device by id; or by hostname or address if it is created in the same job."""

    id: EntityId | None = None
    hostname: str | None = None
    ip: str | None = None


class Platform(Reference):
    """A device's platform, by id or by short name, such as `Platform(short_name="ios")`."""

    id: EntityId | None = None
    name: str | None = None
    short_name: str | None = None
    vendor: str | None = None
