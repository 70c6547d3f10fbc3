"""Contexts for tests, of the class that a job's context has."""

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
    """A context as a job would have it. Entities are the client's, or new ones of `workflow.entities`.

    `devices` may also be what a lab's fixture yields (`devices=simple_frr`).
    """
    lists = {
        "devices": [_entity(device) for device in devices or ()],
        "deviceGroups": list(device_groups or ()),
        "interfaces": list(interfaces or ()),
    }
    return WorkflowContext(lists, run_on, entity_id)


def _entity(device: Any) -> Any:
    """The client's device of one that a lab yields; any other as it is."""
    known = device.to_neops_device() if hasattr(device, "to_neops_device") else device
    return client_class("DeviceTypeDto").from_dict(known) if isinstance(known, Mapping) else known
