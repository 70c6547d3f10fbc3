"""Reads jobs by the rules of the other SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdk.acquire_params import AcquireParams
from sdk.compat.entity_secrets import have_entities_tell
from sdk.context import WorkflowContext as _WorkflowContext
from sdk.job_reader import JobReader, Warn
from sdk.parsing import parse_leniently, parse_parameters
from sdk.parsing.lenient import NULL

from ..workflow.workflow_context import WorkflowContext


class AliasReader(JobReader):
    """A blank text stays a text. A null for a field with a default becomes that default, without a report."""

    def parameters(self, model: type[Any], raw: Mapping[str, Any], warn: Warn) -> Any:
        """An instance of `model`. Raises `ParameterError`."""
        return parse_parameters(model, raw, warn, blanks_are_absent=False)

    def acquire_parameters(self, model: type[Any], raw: Mapping[str, Any], warn: Warn) -> AcquireParams[Any]:
        """The readable part of parameters that are not complete yet. Never raises."""
        partial, reasons = parse_leniently(model, raw, warn, blanks_are_absent=False)
        unresolved = {
            name
            for name, reason in reasons.items()
            if reason != NULL or model.model_fields[name].is_required()
        }
        return AcquireParams(partial, frozenset(unresolved), dict(raw) if isinstance(raw, Mapping) else {})

    def context(
        self, raw: Mapping[str, Any] | None, run_on: str, entity_id: int | float | None, warn: Warn
    ) -> _WorkflowContext:
        """The context, with entities of the generated client."""
        have_entities_tell()
        return WorkflowContext.from_job(raw, run_on, entity_id, warn=warn)
