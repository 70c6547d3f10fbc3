"""`WorkflowContext`: what a block works on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, cast

from sdk.context.changes import Update, changed_among, snapshot, updates_of
from sdk.context.kinds import DEVICE, GROUP, INTERFACE, KINDS, EntityType, Kind, last_with_id
from sdk.context.reader import read_entities
from sdk.entities.device import DeviceEntity
from sdk.entities.group import DeviceGroupEntity
from sdk.entities.interface import InterfaceEntity
from sdk.errors import ContextError, EntityNotInContextError
from sdk.masking import learn
from sdk.registration import RunOn
from sdk.sensitive import collect_secrets

_default_warn: Callable[[str], None] = logging.getLogger(__name__).warning


class WorkflowContext:
    """The entities of a job, and which of them is the job's own.

    `devices`, `interfaces` and `device_groups` are plain lists: change their entities, append new ones
    (`sdk.Device` and so on) or remove some. After a successful `run` the engine gets the differences.

    `context` is the job's JSON, an object with these lists as attributes, or a mapping with lists of
    models. Raises `ContextError` if it can't be read, `EntityNotInContextError` if it lacks the job's
    entity.
    """

    def __init__(
        self,
        context: Any,
        run_on: str,
        entity_id: int | float | None = None,
        *,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        if run_on not in list(RunOn):
            raise ContextError(f"A job can't run on {run_on!r}. It can run on {', '.join(RunOn)}.")
        self.run_on = RunOn(run_on)
        """The kind of entity on which the job runs."""
        self.entity_id = None if entity_id is None else int(entity_id)
        """The id of the entity on which the job runs; None for a job that runs on all (`global`)."""
        self.warnings: list[str] = []
        """The changes that could not be sent, as texts for people."""
        self._warn = warn or _default_warn
        self.devices: list[DeviceEntity] = read_entities(context, DEVICE)
        self.interfaces: list[InterfaceEntity] = read_entities(context, INTERFACE)
        self.device_groups: list[DeviceGroupEntity] = read_entities(context, GROUP)
        """The groups that came with the job, as a plain list like the other two."""
        self._before = {kind.entity_type: snapshot(kind, self._list(kind)) for kind in KINDS}
        for kind in KINDS:
            if self._runs_on(kind) and self._own(kind) is None:
                raise EntityNotInContextError(
                    kind.entity_type, self.entity_id, has_any=bool(self._list(kind))
                )

    @classmethod
    def from_job(
        cls,
        context: Mapping[str, Any] | None,
        run_on: str,
        entity_id: int | float | None,
        *,
        warn: Callable[[str], None] | None = None,
    ) -> Self:
        """The context of a job, from its JSON. `warn` gets the warnings; the default is a standard logger."""
        return cls(context, run_on, entity_id, warn=warn)

    @property
    def device(self) -> DeviceEntity | None:
        """The job's device; None if the job does not run on one, or if the block removed it from `devices`.

        If you assign another object with the same id, it replaces the device; any other object raises `ContextError`.
        """
        return cast("DeviceEntity | None", self._own(DEVICE))

    @device.setter
    def device(self, entity: DeviceEntity) -> None:
        self._replace(DEVICE, entity)

    @property
    def interface(self) -> InterfaceEntity | None:
        """The job's interface; like `device`."""
        return cast("InterfaceEntity | None", self._own(INTERFACE))

    @interface.setter
    def interface(self, entity: InterfaceEntity) -> None:
        self._replace(INTERFACE, entity)

    @property
    def device_group(self) -> DeviceGroupEntity | None:
        """The job's group; like `device`."""
        return cast("DeviceGroupEntity | None", self._own(GROUP))

    @device_group.setter
    def device_group(self, entity: DeviceGroupEntity) -> None:
        self._replace(GROUP, entity)

    def compute_db_updates(self) -> list[Update]:
        """The changes since construction, as the engine's create, delete and patch items.

        A change that can't be sent, such as a write to a read-only field, is logged and listed in `warnings`.
        Raises `EncodingError` for a value that can't be written as JSON.
        """
        return updates_from(self, changed_entities(self))

    def _unsent_changes(self) -> Iterable[str]:
        """Name changes in an object that is in none of the lists, if this kind of context can hold one."""
        return ()

    def secrets(self) -> frozenset[str]:
        """The passwords and other secrets in the context, both now and as the job brought it."""
        return collect_secrets([self._list(kind) for kind in KINDS]) | collect_secrets(self._before)

    def _learn_secrets_of(self, kind: Kind, entity: Any) -> None:
        # A copy with other values (`model_copy`) has not reported any of them.
        came_with = self._before[kind.entity_type].get(getattr(entity, "id", 0))
        learn(collect_secrets(entity) - collect_secrets(came_with))

    def _runs_on(self, kind: Kind) -> bool:
        return self.run_on.value == kind.entity_type.value

    def _list(self, kind: Kind) -> list[Any]:
        # A block can remove the attribute, too; `updates_of` then says what is wrong with None.
        return cast("list[Any]", getattr(self, kind.attribute, None))

    def _own(self, kind: Kind) -> Any:
        # Looked up each time: a block may have put another object with this id into the list.
        if not self._runs_on(kind):
            return None
        return last_with_id([*self._list(kind)], self.entity_id)

    def _replace(self, kind: Kind, entity: Any) -> None:
        current = self._own(kind)
        if current is None or getattr(entity, "id", None) != self.entity_id:
            own = f"{self.run_on} {self.entity_id}" if self.entity_id else str(self.run_on)
            raise ContextError(
                f"context.{kind.own_attribute} can't become another {kind.entity_type}: "
                f"the job runs on {own}. Assign an entity with that id, or change the context's lists."
            )
        self._learn_secrets_of(kind, entity)
        entities = self._list(kind)
        for index, each in enumerate(entities):
            # By identity: pydantic models compare by value, and two entities may be equal.
            if each is current:
                entities[index] = entity


def changed_entities(context: WorkflowContext) -> dict[EntityType, list[Any]]:
    """The entities that a block may have changed or added, by their kinds."""
    return {
        kind.entity_type: changed_among(kind, context._before[kind.entity_type], context._list(kind))
        for kind in KINDS
    }


def updates_from(context: WorkflowContext, changed: Mapping[EntityType, list[Any]]) -> list[Update]:
    """The result of `WorkflowContext.compute_db_updates`, from the result of `changed_entities`.

    A context of another SDK (`sdk.compat`) overrides that method, and returns a class of the client.
    """
    context.warnings = []

    def warn(message: str) -> None:
        context.warnings.append(message)
        context._warn(message)

    updates = [
        update
        for kind in KINDS
        for update in updates_of(
            kind,
            context._before[kind.entity_type],
            context._list(kind),
            warn,
            changed[kind.entity_type],
        )
    ]
    for message in context._unsent_changes():
        warn(message)
    return updates
