"""A job of the demo, and the check whether its result is the expected one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from supervisor.verdict import Cause

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a job in the engine. `data` is empty if the block returned none."""

    success: bool
    message: str
    data: Json


def _nothing_wrong(_: Result) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class DemoJob:
    """One job, and its expected result.

    `stops_in` is the file of blocks that its code must be in at its end. `complaint` gets a result with the right cause
    and says what is wrong with it, or returns an empty text. `excuse` gets a result with another cause and says why
    this machine could not give a better one; an empty text if there is no excuse.
    """

    name: str
    block: str
    what: str
    cause: Cause
    parameters: Json = field(default_factory=dict)
    stops_in: str | None = None
    on_device: bool = False
    complaint: Callable[[Result], str] = _nothing_wrong
    excuse: Callable[[Result], str] = _nothing_wrong
