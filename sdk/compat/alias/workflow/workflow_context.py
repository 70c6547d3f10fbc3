"""A context whose entities are the generated client's, as blocks of the other SDK expect them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ValidationError

from sdk.compat.client import client_class, updates_dto
from sdk.compat.migration_hints import refusing
from sdk.context import WorkflowContext as _WorkflowContext
from sdk.context.changes import Update, updates_of
from sdk.context.kinds import KINDS, Kind, id_of
from sdk.errors import EncodingError
from sdk.sensitive import collect_secrets

_OWN: Final = {kind.own_attribute: kind for kind in KINDS}


class WorkflowContext(_WorkflowContext):
    """`sdk.WorkflowContext`, with entities of the generated client.

    A helper may require `DeviceTypeDto`, by `isinstance` or as the type of a pydantic field. A list that is None in
    the given object stays None. `device`, `interface` and `device_group` are the job's own entity from beginning to
    end, whatever the block does with the lists, and whatever it assigns.
    """

    device: Any = None
    interface: Any = None
    device_group: Any = None

    def __init__(
        self,
        context: Any,
        run_on: str,
        entity_id: int | float | None = None,
        *,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(context, run_on, entity_id, warn=warn)
        for kind in KINDS:
            setattr(self, kind.own_attribute, self._own(kind))
        if not isinstance(context, Mapping):
            for kind in KINDS:
                if getattr(context, kind.attribute, ()) is None:
                    setattr(self, kind.attribute, None)

    def __setattr__(self, name: str, value: Any) -> None:
        if (kind := _OWN.get(name)) is not None and value is not None:
            # A block can assign anything, even an object that can't be searched for secrets.
            with contextlib.suppress(Exception):
                self._learn_secrets_of(kind, value)
        super().__setattr__(name, value)

    @classmethod
    def from_job(
        cls,
        context: Mapping[str, Any] | None,
        run_on: str,
        entity_id: int | float | None,
        *,
        warn: Callable[[str], None] | None = None,
    ) -> Self:
        """The context of a job, from its JSON. What does not fit the client's classes becomes this SDK's entities."""
        return cls(_as_dto(context, warn), run_on, entity_id, warn=warn)

    def _list(self, kind: Kind) -> list[Any]:
        # Here a None is no mistake of the block.
        return [] if getattr(self, kind.attribute, ()) is None else super()._list(kind)

    def secrets(self) -> frozenset[str]:
        """The passwords and other secrets in the context, both now and as the job brought it."""
        own = [getattr(self, kind.own_attribute) for kind in KINDS]
        return super().secrets() | collect_secrets([each for each in own if each is not None])

    def _unsent_changes(self) -> Iterator[str]:
        """Name the changes in the job's entity that are not sent because another object is in its place in the list."""
        for kind in KINDS:
            own = getattr(self, kind.own_attribute)
            before = self._before[kind.entity_type].get(getattr(own, "id", 0))
            listed = [each for each in self._list(kind) if before is not None and each.id == own.id]
            if before is None or not listed or any(each is own for each in listed):
                continue
            sent = _changes(kind, before, listed[-1])
            if lost := [each["path"] for each in _changes(kind, before, own) if each not in sent]:
                yield (
                    f"context.{kind.own_attribute} is another object than the {kind.entity_type} {id_of(own)} in "
                    f"context.{kind.attribute}. What was changed in it is not sent: {', '.join(lost)}."
                )

    def compute_db_updates(self) -> Any:
        """All changes, as the client's `JobExecutionResultDbUpdatesDto`; None if there are none."""
        updates = super().compute_db_updates()
        return updates_dto(updates) if updates else None


def _changes(kind: Kind, before: dict[str, Any], entity: Any) -> list[Update]:
    """The changes in one entity. Nothing for another object: a block may put any object in an entity's place."""
    if not isinstance(entity, BaseModel):
        return []
    try:
        return updates_of(kind, {id_of(entity): before}, [entity], lambda warning: None)
    except EncodingError:
        return []


def _as_dto(context: Mapping[str, Any] | None, warn: Callable[[str], None] | None) -> Any:
    if context is None:
        return None
    complete = {kind.key: context.get(kind.key) or [] for kind in KINDS}
    try:
        return client_class("JobExecutionContextDto").from_dict(complete)
    except (ValidationError, ValueError, TypeError, AttributeError) as error:
        if warn is not None:
            warn(
                f"The context does not fit the installed client's classes ({type(error).__name__}), so its entities "
                "are those of sdk. Install the client that belongs to your engine."
            )
        return context


__getattr__ = refusing(__name__)
