"""An interface in a job's context."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sdk.entities.base import Entity, Number
from sdk.entities.references import DeviceReference, EntityReference


class InterfaceEntity(Entity):
    """An interface of the job's context. Change it like a `DeviceEntity`, with the same errors.

    `state` is UP, DOWN, ERROR_DISABLED or ADMINISTRATIVE_SHUTDOWN; `device` names its device, by id.
    """

    name: str | None = None
    state: str | None = None
    description: str | None = None
    ifindex: Number | None = None
    name_sorting: str | None = None
    device: DeviceReference | None = None
    interface: EntityReference | None = None
    clients: list[Any] | None = None
    client_count: Number | None = None
    facts: dict[str, Any] | None = None
    fact_elements: list[Any] | None = None
    checks: Any = None
    check_elements: Any = None
    config_versions: list[Any] | None = Field(default=None, repr=False)
    current_configuration: str | None = Field(default=None, repr=False)
    last_configuration: str | None = Field(default=None, repr=False)
    interface_execution_results: list[Any] | None = None
    neighbor_for_deletion: Any = None
