"""New entities for a context: classes of the generated client, with the two options for a creation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import (
    BaseModel,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from sdk.compat.client import client_class
from sdk.compat.migration_hints import refusing
from sdk.entities.creation import DeviceField, GroupField, InterfaceField, check_creation_options
from sdk.entities.creation import Interface as _Interface
from sdk.entities.temporary_ids import new_temporary_id

if TYPE_CHECKING:
    # Type checkers see plain models: the installed client decides which fields there are.
    class _DeviceDto(BaseModel): ...

    class _InterfaceDto(BaseModel): ...

    class _GroupDto(BaseModel): ...

    class _PlatformDto(BaseModel): ...

    class _ReferenceDto(BaseModel): ...
else:
    _DeviceDto = client_class("DeviceTypeDto")
    _InterfaceDto = client_class("InterfaceTypeDto")
    _GroupDto = client_class("DeviceGroupTypeDto")
    _PlatformDto = client_class("PlatformTypeDto")
    _ReferenceDto = client_class("EntityReferenceDto", "BaseEntityDto")


class _WithoutNulls(BaseModel):
    @model_serializer(mode="wrap")
    def _without_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # The CMS searches by the given fields, and would take a null for a value.
        return {name: value for name, value in handler(self).items() if value is not None}


class Platform(_WithoutNulls, _PlatformDto):
    """A platform, by id or by short name."""

    id: float | int | None = None


class DeviceReference(_WithoutNulls, _ReferenceDto):
    """A device by id; or by hostname or address if it is created in the same job."""

    id: float | int | None = None
    hostname: str | None = None
    ip: str | None = None


class _Creation(BaseModel):
    id: float | int = Field(default_factory=new_temporary_id)
    skip_if_identifier_exists: bool

    @model_validator(mode="after")
    def validate_creation_options(self) -> Any:
        """Refuse one of the two options without the other."""
        check_creation_options(self)
        return self


class Device(_Creation, _DeviceDto):
    """A device to be created."""

    identifier_fields: Sequence[DeviceField]
    platform: SerializeAsAny[_PlatformDto] | None = None


class Interface(_Creation, _InterfaceDto):
    """An interface to be created. The CMS looks for an existing one only within its device."""

    identifier_fields: Sequence[InterfaceField]
    device: SerializeAsAny[_ReferenceDto] | None = None

    @staticmethod
    def state_from_status(status: Any) -> str:
        """The state to store for a device's status; `DOWN` for an unknown status."""
        try:
            return _Interface.state_from_status(status)
        except ValueError:
            return "DOWN"


class DeviceGroup(_Creation, _GroupDto):
    """A group to be created."""

    identifier_fields: Sequence[GroupField]


__all__ = [
    "Device",
    "DeviceField",
    "DeviceGroup",
    "DeviceReference",
    "GroupField",
    "Interface",
    "InterfaceField",
    "Platform",
]

__getattr__ = refusing(__name__)
