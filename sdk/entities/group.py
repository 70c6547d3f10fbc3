"""A device group in a job's context."""

from __future__ import annotations

from typing import Any

from sdk.entities.base import Entity, Number
from sdk.entities.references import EntityReference


class DeviceGroupEntity(Entity):
    """A group of devices of the job's context. Change it like a `DeviceEntity`, with the same errors."""

    name: str | None = None
    title: str | None = None
    description: str | None = None
    location: dict[str, Any] | None = None
    devices: list[EntityReference] | None = None
    device_count: Number | None = None
    facts: dict[str, Any] | None = None
    fact_elements: list[Any] | None = None
    checks: Any = None
    check_elements: list[Any] | None = None
    device_group_execution_results: list[Any] | None = None
    role_permissions: list[Any] | None = None
    active_lock_counts: Number | None = None
    is_read_locked: bool | None = None
    is_write_locked: bool | None = None
