"""The parameters a block sees while acquiring."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

P = TypeVar("P")


@dataclass(frozen=True)
class AcquireParams(Generic[P]):
    partial: P
    unresolved: frozenset[str]
    raw: dict[str, Any]
