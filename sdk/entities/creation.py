"""New entities. Append them to the lists of a context."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from sdk.entities.base import EntityId
from sdk.entities.device import DeviceEntity
from sdk.entities.group import DeviceGroupEntity
from sdk.entities.interface import InterfaceEntity
from sdk.entities.temporary_ids import new_temporary_id
from sdk.masking import learn
from sdk.sensitive import collect_secrets


class DeviceField(StrEnum):
    """Fields by which the CMS can find a device."""

    hostname = "hostname"
    ip = "ip"


class InterfaceField(StrEnum):
    """Fields by which the CMS can find an interface of a device."""

    # The member hides Enum's own `name` on the class only, and blocks of `neops_worker_sdk` write it so. Without the
    # annotation, pyright takes every use for Enum's property.
    name: InterfaceField = "name"  # type: ignore[misc, assignment]  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]  # see above


class GroupField(StrEnum):
    """Fields by which the CMS can find a group."""

    # As in InterfaceField.
    name: GroupField = "name"  # type: ignore[misc, assignment]  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]  # see above


# An unknown field of an entity from the engine is newer than this SDK. In a new entity it is misspelt.
_STRICT = ConfigDict(extra="forbid")


class _Creation(BaseModel):
    """What every new entity states besides its data.

    `identifier_fields` names the fields by which the CMS looks for an existing entity. `skip_if_identifier_exists`
    says that the CMS leaves an existing one unchanged. Give both, or give neither (`False` and `[]`): one without the
    other would mean nothing.
    """

    id: EntityId = Field(default_factory=new_temporary_id, frozen=True)
    skip_if_identifier_exists: bool

    def model_post_init(self, context: Any, /) -> None:
        """Mask the secrets of the new entity from now on."""
        super().model_post_init(context)
        learn(collect_secrets(self))

    @model_validator(mode="after")
    def validate_creation_options(self) -> Self:
        """Refuse one of the two options if the other is missing."""
        check_creation_options(self)
        return self


def check_creation_options(entity: BaseModel) -> None:
    """Refuse one of the two options of a new entity if the other is missing. Raises `PydanticCustomError`."""
    # Each class declares its own identifier_fields, as a list of its own Enum.
    given = vars(entity)
    if given["skip_if_identifier_exists"] != bool(given["identifier_fields"]):
        raise PydanticCustomError(
            "sdk_creation_options",
            "skip_if_identifier_exists and identifier_fields go together: set both, or False and []",
        )


class Device(_Creation, DeviceEntity):
    """A new device: append it to `context.devices`. It has a temporary `id` until the CMS has created it.

    `identifier_fields` names the fields by which the CMS looks for an existing device. It leaves an existing one
    unchanged (`skip_if_identifier_exists=True`). With `False` and `[]` it creates one in any case. Raises pydantic's
    `ValidationError` for one of the two without the other, and for an unknown field.
    """

    model_config = _STRICT
    identifier_fields: Sequence[DeviceField]


class Interface(_Creation, InterfaceEntity):
    """A new interface: append it to `context.interfaces`. Options and errors as for `Device`.

    Its `device` may be a device that is created in the same job, by hostname or temporary id. The CMS looks for an
    existing interface only within that device.
    """

    model_config = _STRICT
    identifier_fields: Sequence[InterfaceField]

    @staticmethod
    def state_from_status(status: Any) -> str:
        """The state to store for a device's status: an Enum, its value, or None for unknown.

        Administratively down becomes DOWN: the CMS column is too short for ADMINISTRATIVE_SHUTDOWN
        (engine contract: entities). Raises `ValueError` for an unknown status.
        """
        if status is None:
            return "DOWN"
        word = str(status.value if isinstance(status, Enum) else status).strip().lower().replace("-", "_")
        if word not in _STATES:
            raise ValueError(f"Interface status {word!r} is not known. Use one of {', '.join(_STATES)}.")
        return _STATES[word]


class DeviceGroup(_Creation, DeviceGroupEntity):
    """A new group: append it to `context.device_groups`. Options and errors as for `Device`."""

    model_config = _STRICT
    identifier_fields: Sequence[GroupField]


_STATES = {
    "up": "UP",
    "down": "DOWN",
    "disabled": "DOWN",
    "admin_disabled": "DOWN",
    "error_disabled": "ERROR_DISABLED",
}
