"""The parameters a block sees while acquiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sdk.models import FunctionBlockParams

P = TypeVar("P", bound=FunctionBlockParams)


@dataclass(frozen=True, slots=True)
class AcquireParams(Generic[P]):
    """Parameters of which the engine could not resolve all yet.

    ``partial`` holds what could be read; a required field that could not is None whatever its type says, so
    ask ``unresolved`` (field names) first. ``raw`` is what the engine sent, unchanged.
    """

    partial: P
    unresolved: frozenset[str]
    raw: dict[str, Any]
