"""The parameters a block sees while acquiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sdk.models import FunctionBlockParams

P = TypeVar("P", bound=FunctionBlockParams)


@dataclass(frozen=True, slots=True)
class AcquireParams(Generic[P]):
    """Parameters of which the engine could not resolve all yet: what `acquire` gets.

    Before the first step of a run no step has a result. What is taken from one is absent or null then: the engine sends
    no template (engine contract: job types).
    """

    partial: P
    """What could be read. A required field that could not is None whatever its type says: ask `unresolved` first."""

    unresolved: frozenset[str]
    """The names of the fields that could not be read."""

    raw: dict[str, Any]
    """What the engine sent, unchanged: JSON's own types, keys as in the workflow."""
