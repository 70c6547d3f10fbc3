"""Contexts for tests, of the same class as a job's context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sdk.compat.client import client_class

from .workflow_context import WorkflowContext


def create_workflow_context(
    run_on: str = "global",
    entity_id: int | float | None = None,
    devices: Iterable[Any] | None = None,
    device_groups: Iterable[Any] | None = None,
    interfaces: Iterable[Any] | None = None,
) -> WorkflowContext:
    """A context in the form that a job has. Entities are the client's, or new ones of `workflow.entities`.

    `devices` may also be what a lab fixture yields (`devices=simple_frr`).
    """
    lists = {
        "devices": [_entity(device) for device in devices or ()],
        "deviceGroups": list(device_groups or ()),
        "interfaces": list(interfaces or ()),
    }
    return WorkflowContext(lists, run_on, entity_id)


def _entity(device: Any) -> Any:
    """The client's device for one from a lab; any other object unchanged."""
    known = device.to_neops_device() if hasattr(device, "to_neops_device") else device
    return client_class("DeviceTypeDto").from_dict(known) if isinstance(known, Mapping) else known
