"""A device in a job's context."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from sdk.entities.base import Entity, Number
from sdk.entities.references import EntityReference, Platform


class DeviceEntity(Entity):
    """A device of the job's context. Change its attributes, and a successful job sends the changes.

    `username` and `password` are its login, in clear; the job's log masks them. The fields are the engine's
    (engine contract: entities); all but `id` may be None. A value of a wrong type raises pydantic's `ValidationError`,
    and an unknown field `AttributeError`. Counts, ids, locks and times belong to the engine: changes to them are not
    sent, and the log warns of them.
    """

    hostname: str | None = None
    ip: str | None = None
    username: str | None = None
    password: str | None = Field(default=None, repr=False)
    platform: Platform | None = None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    software_release: str | None = None
    connection_state: str | None = None
    connection_options: str | None = Field(default=None, repr=False)
    controller: EntityReference | None = None
    current_configuration: str | None = Field(default=None, repr=False)
    last_configuration: str | None = Field(default=None, repr=False)
    config_versions: list[Any] | None = Field(default=None, repr=False)
    checks: Any = None
    check_elements: list[Any] | None = None
    facts: dict[str, Any] | None = None
    fact_elements: list[Any] | None = None
    groups: list[EntityReference] | None = None
    devices: list[EntityReference] | None = None
    interfaces: list[EntityReference] | None = None
    device_execution: list[Any] | None = None
    device_execution_results: list[Any] | None = None
    external_reference: str | None = None
    active_lock_counts: Number | None = None
    is_read_locked: bool | None = None
    is_write_locked: bool | None = None
    group_count: Number | None = None
    interface_count: Number | None = None
    first_seen_at: datetime | None = None
    inventory_updated_at: datetime | None = None
