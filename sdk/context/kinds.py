"""The kinds of entities a context holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sdk.entities.base import Entity
from sdk.entities.device import DeviceEntity
from sdk.entities.group import DeviceGroupEntity
from sdk.entities.interface import InterfaceEntity


class EntityType(StrEnum):
    """The name of a kind in updates and in `run_on`."""

    DEVICE = "device"
    INTERFACE = "interface"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Kind:
    """Where to find entities of one type: their key in the engine's JSON, their attributes in a context."""

    entity_type: EntityType
    key: str
    attribute: str
    own_attribute: str
    model: type[Entity]


DEVICE = Kind(EntityType.DEVICE, "devices", "devices", "device", DeviceEntity)
INTERFACE = Kind(EntityType.INTERFACE, "interfaces", "interfaces", "interface", InterfaceEntity)
GROUP = Kind(EntityType.GROUP, "deviceGroups", "device_groups", "device_group", DeviceGroupEntity)

KINDS = (DEVICE, INTERFACE, GROUP)
"""In the order in which updates are sent."""


def id_of(entity: Any) -> int:
    """The id of an entity of any package, as an integer: the generated client reads ids as floats."""
    return int(entity.id)


def last_with_id(entities: list[Any], number: int | None) -> Any:
    """The last of `entities` with this id: it is also the one that counts in updates. None if there is none."""
    ids = [entity.id for entity in reversed(entities)]  # faster than a loop: there may be thousands
    if number in ids:
        return entities[-1 - ids.index(number)]
    return next((entity for entity in reversed(entities) if id_of(entity) == number), None)
