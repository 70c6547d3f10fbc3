"""Contexts for tests, of the class that a job's context has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .workflow_context import WorkflowContext


def create_workflow_context(
    run_on: str = "global",
    entity_id: int | float | None = None,
    devices: Iterable[Any] | None = None,
    device_groups: Iterable[Any] | None = None,
    interfaces: Iterable[Any] | None = None,
) -> WorkflowContext:
    """A context as a job would have it. Entities are the client's, or new ones of `workflow.entities`."""
    lists = {
        "devices": list(devices or ()),
        "deviceGroups": list(device_groups or ()),
        "interfaces": list(interfaces or ()),
    }
    return WorkflowContext(lists, run_on, entity_id)
