"""Contexts for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sdk.context import WorkflowContext
from sdk.context.kinds import DEVICE, GROUP, INTERFACE, KINDS
from sdk.testing.labs import devices_of, is_of_a_lab


def create_workflow_context(
    run_on: str = "global",
    entity_id: int | float | None = None,
    devices: Iterable[Any] | None = None,
    device_groups: Iterable[Any] | None = None,
    interfaces: Iterable[Any] | None = None,
) -> WorkflowContext:
    """A context in the form that a job has.

    `run_on` is `global`, `device`, `interface`, `group` or `client`. Entities are those of the SDK
    (`DeviceEntity(id=1, ...)`), models of the generated client, or mappings with the engine's keys. `devices` may
    also be what a lab fixture yields (`devices=simple_frr`). Without `entity_id` the job runs on the only entity of
    its kind.

    Raises `ContextError` for an object that is no entity, `EntityNotInContextError` if the job's own entity is missing.
    """
    entities = {
        DEVICE.key: _devices(devices),
        GROUP.key: list(device_groups or ()),
        INTERFACE.key: list(interfaces or ()),
    }
    if entity_id is None:
        entity_id = only_entity(run_on, entities)
    return WorkflowContext(entities, run_on, entity_id)


def _devices(given: Iterable[Any] | None) -> list[Any]:
    """Return the devices for a context: devices of a lab are converted, all others stay unchanged."""
    devices = list(given or ())
    if any(is_of_a_lab(device) for device in devices):
        return list(devices_of(devices))
    return devices


def only_entity(run_on: str, entities: dict[str, list[Any]]) -> int | float | None:
    """Return the id of the entity to run on, if `entities`, lists by their wire keys, leave no choice."""
    for kind in KINDS:
        if kind.entity_type.value == run_on and len(entities[kind.key]) == 1:
            only = entities[kind.key][0]
            return only.get("id") if isinstance(only, dict) else getattr(only, "id", None)
    return None
