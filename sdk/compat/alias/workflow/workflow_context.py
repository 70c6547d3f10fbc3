"""A context whose entities are the generated client's, as blocks of the other SDK expect them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import ValidationError

from sdk.compat.client import client_class, updates_dto
from sdk.compat.migration_hints import refusing
from sdk.context import WorkflowContext as _WorkflowContext
from sdk.context.kinds import KINDS, Kind


class WorkflowContext(_WorkflowContext):
    """`sdk.WorkflowContext`, with entities of the generated client.

    A helper may insist on `DeviceTypeDto`, by `isinstance` or as the type of a pydantic field. A list that the given
    object has as None stays None.
    """

    def __init__(
        self,
        context: Any,
        run_on: str,
        entity_id: int | float | None = None,
        *,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(context, run_on, entity_id, warn=warn)
        if not isinstance(context, Mapping):
            for kind in KINDS:
                if getattr(context, kind.attribute, ()) is None:
                    setattr(self, kind.attribute, None)

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
        # None is no mistake of the block's here.
        return [] if getattr(self, kind.attribute, ()) is None else super()._list(kind)

    def compute_db_updates(self) -> Any:
        """What was changed, as the client's `JobExecutionResultDbUpdatesDto`; None for nothing."""
        updates = super().compute_db_updates()
        return updates_dto(updates) if updates else None


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
