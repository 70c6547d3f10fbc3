"""Brings the interfaces in the database in line with those that a device has."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sdk import Interface, InterfaceEntity, WorkflowContext
from sdk.connection import InterfaceFacts, InterfaceState
from sdk.entities.creation import InterfaceField
from sdk.entities.references import DeviceReference


@dataclass(slots=True)
class Stored:
    """What was done with the interfaces in the database, by name."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def store_interfaces(context: WorkflowContext, interfaces: Sequence[InterfaceFacts]) -> Stored:
    """Update the interfaces of the job's device that are in the context, and append the others as new ones.

    Facts that others have written stay. An interface that the device no longer has is named, and stays unchanged.
    """
    assert context.device is not None  # the blocks of this family run on devices
    device_id = context.device.id
    known = {
        entity.name: entity
        for entity in context.interfaces
        if entity.device is not None and entity.device.id == device_id
    }
    stored = Stored()
    for facts in interfaces:
        entity = known.pop(facts.name, None)
        if entity is None:
            context.interfaces.append(_new(device_id, facts))
            stored.created.append(facts.name)
        elif _update(entity, facts):
            stored.changed.append(facts.name)
    stored.missing = [name for name in known if name is not None]
    return stored


def _new(device_id: int, facts: InterfaceFacts) -> Interface:
    return Interface(
        name=facts.name,
        device=DeviceReference(id=device_id),
        state=_state(facts),
        description=facts.description,
        facts=_facts(facts),
        skip_if_identifier_exists=True,
        identifier_fields=[InterfaceField.name],
    )


def _update(entity: InterfaceEntity, facts: InterfaceFacts) -> bool:
    before = (entity.state, entity.description, entity.facts)
    entity.state = _state(facts)
    entity.description = facts.description
    entity.facts = {**(entity.facts or {}), **_facts(facts)}
    return before != (entity.state, entity.description, entity.facts)


def _state(facts: InterfaceFacts) -> str:
    # The database's field is too short for ADMINISTRATIVE_SHUTDOWN (engine contract: entities).
    if facts.state is InterfaceState.ADMINISTRATIVE_SHUTDOWN:
        return InterfaceState.DOWN.value
    return facts.state.value


def _facts(facts: InterfaceFacts) -> dict[str, Any]:
    return {
        "addresses": list(facts.addresses),
        "mac_address": facts.mac_address,
        "mtu_bytes": facts.mtu_bytes,
        "speed_mbit": facts.speed_mbit,
        "vrf": facts.vrf,
        "is_shut_down": facts.state is InterfaceState.ADMINISTRATIVE_SHUTDOWN,
    }
