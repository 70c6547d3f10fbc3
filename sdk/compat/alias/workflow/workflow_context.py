"""A context whose entities are the generated client's, as blocks of the other SDK expect them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import ValidationError

from sdk.compat.client import client_class, updates_dto
from sdk.compat.migration_hints import refusing
from sdk.context import WorkflowContext as _WorkflowContext
from sdk.context.kinds import KINDS


class WorkflowContext(_WorkflowContext):
    """`sdk.WorkflowContext`, with entities of the generated client.

    A helper may insist on `DeviceTypeDto`, by `isinstance` or as the type of a pydantic field.
    """

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
