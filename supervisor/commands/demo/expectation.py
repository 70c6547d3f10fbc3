"""A job of the demo, and how to tell whether its result is the expected one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from supervisor.verdict import Cause

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a job as the engine has it. `data` is empty where the block returned none."""

    success: bool
    message: str
    data: Json


def _nothing_wrong(_: Result) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class DemoJob:
    """One job, and what is expected of it.

    `stops_in` is the file of blocks in which the code must have been when it ended. `complaint` says what is wrong
    with a result that has the right cause, and returns an empty text where nothing is. `excuse` says, for a result
    with another cause, why this machine could not give a better one; an empty text where that is no excuse.
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
