"""Converts a job's raw parts to the arguments of a block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sdk.acquire_params import AcquireParams
from sdk.context import WorkflowContext
from sdk.parsing import parse_leniently, parse_parameters

Warn = Callable[[str], None]


class JobReader:
    """Reads jobs by the rules of this SDK. Blocks of another SDK name a reader with other rules (`sdk.compat`)."""

    def parameters(self, model: type[Any], raw: Mapping[str, Any], warn: Warn) -> Any:
        """An instance of `model`. Raises `ParameterError`."""
        return parse_parameters(model, raw, warn)

    def acquire_parameters(self, model: type[Any], raw: Mapping[str, Any], warn: Warn) -> AcquireParams[Any]:
        """The readable part of parameters that are not complete yet. Never raises."""
        partial, reasons = parse_leniently(model, raw, warn)
        return AcquireParams(partial, frozenset(reasons), dict(raw) if isinstance(raw, Mapping) else {})

    def context(
        self, raw: Mapping[str, Any] | None, run_on: str, entity_id: int | float | None, warn: Warn
    ) -> WorkflowContext:
        """The context. Raises `ContextError`, `EntityNotInContextError`."""
        return WorkflowContext.from_job(raw, run_on, entity_id, warn=warn)
