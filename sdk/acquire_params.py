"""The parameters a block sees while acquiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sdk.models import FunctionBlockParams

P = TypeVar("P", bound=FunctionBlockParams)


@dataclass(frozen=True, slots=True)
class AcquireParams(Generic[P]):
    """What `acquire` gets: parameters that the engine may not have resolved completely yet.

    Before the first step of a run no step has a result. So a value that comes from a result is absent or null: the
    engine sends no template (engine contract: job types).
    """

    partial: P
    """The values that could be read. A required field that could not be read is None, whatever its type says: ask
    `unresolved` first."""

    unresolved: frozenset[str]
    """The names of the fields that could not be read."""

    raw: dict[str, Any]
    """What the engine sent, unchanged: JSON's own types, keys as in the workflow."""
