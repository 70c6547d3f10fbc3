"""New entities, to be appended to the lists of a context."""

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

    # The member hides Enum's own `name` on the class only, which is what the peer SDK's blocks write. Without the
    # annotation, pyright takes it for Enum's property wherever it is used.
    name: InterfaceField = "name"  # type: ignore[misc, assignment]  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]  # see above


class GroupField(StrEnum):
    """Fields by which the CMS can find a group."""

    # As in InterfaceField.
    name: GroupField = "name"  # type: ignore[misc, assignment]  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]  # see above


# An unknown field of an entity that the engine sent is newer than this SDK; here it is a misspelt one.
_STRICT = ConfigDict(extra="forbid")


class _Creation(BaseModel):
    """What every new entity states beside its data.

    `identifier_fields` names the fields by which the CMS looks for one that exists already, and
    `skip_if_identifier_exists` says that it is then left alone. Both are given, or neither applies
    (`False` and `[]`): one without the other would mean nothing.
    """

    id: EntityId = Field(default_factory=new_temporary_id, frozen=True)
    skip_if_identifier_exists: bool

    def model_post_init(self, context: Any, /) -> None:
        """Have the secrets of the new entity masked from now on."""
        super().model_post_init(context)
        learn(collect_secrets(self))

    @model_validator(mode="after")
    def validate_creation_options(self) -> Self:
        """Refuse one of the two options without the other."""
        check_creation_options(self)
        return self


def check_creation_options(entity: BaseModel) -> None:
    """Refuse one of the two options of a new entity without the other. Raises `PydanticCustomError`."""
    # Each class declares its identifier_fields itself, as a list of its own Enum.
    given = vars(entity)
    if given["skip_if_identifier_exists"] != bool(given["identifier_fields"]):
        raise PydanticCustomError(
            "sdk_creation_options",
            "skip_if_identifier_exists and identifier_fields go together: set both, or False and []",
        )


class Device(_Creation, DeviceEntity):
    """A device to be created: append it to `context.devices`. It has a temporary `id` until then.

    `identifier_fields` names the fields by which the CMS looks for one that exists already, which it then leaves
    alone (`skip_if_identifier_exists=True`); with `False` and `[]` one is created in any case. Raises pydantic's
    `ValidationError` for one of the two without the other, and for a field that there is not.
    """

    model_config = _STRICT
    identifier_fields: Sequence[DeviceField]


class Interface(_Creation, InterfaceEntity):
    """An interface to be created: append it to `context.interfaces`. Options and errors as for `Device`.

    Its `device` may be one that is created in the same job, by hostname or temporary id. The CMS looks for an
    existing interface only within that device.
    """

    model_config = _STRICT
    identifier_fields: Sequence[InterfaceField]

    @staticmethod
    def state_from_status(status: Any) -> str:
        """The state to store for a device's status: an Enum, its value, or None for unknown.

        Administratively down becomes DOWN: the CMS column is too short for ADMINISTRATIVE_SHUTDOWN
        (engine contract: entities). Raises `ValueError` for a status it does not know.
        """
        if status is None:
            return "DOWN"
        word = str(status.value if isinstance(status, Enum) else status).strip().lower().replace("-", "_")
        if word not in _STATES:
            raise ValueError(f"Interface status {word!r} is not known. Use one of {', '.join(_STATES)}.")
        return _STATES[word]


class DeviceGroup(_Creation, DeviceGroupEntity):
    """A group to be created: append it to `context.device_groups`. Options and errors as for `Device`."""

    model_config = _STRICT
    identifier_fields: Sequence[GroupField]


_STATES = {
    "up": "UP",
    "down": "DOWN",
    "disabled": "DOWN",
    "admin_disabled": "DOWN",
    "error_disabled": "ERROR_DISABLED",
}
