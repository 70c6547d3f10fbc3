"""An echo that says when its child had read the order and the payload, and when the block itself began and returned.

This module is imported by the process that children are forked from, so what it puts around a function is in force in
each of them.
"""

import time
from collections.abc import Callable
from typing import Any

# What most blocks need. Without it, the processes that are forked would be smaller than those of a real worker.
import netmiko
from pydantic import Field

import jobrunner.child
import jobrunner.job
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)

_LOADED = netmiko.__name__
_read_at: dict[str, float] = {}


def _marked(what: str, to_child: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def with_mark(frame: Any) -> Any:
        _read_at[what] = time.monotonic()
        return to_child(frame)

    return with_mark


jobrunner.child.to_child = _marked("order_read", jobrunner.child.to_child)
jobrunner.job.to_child = _marked("payload_read", jobrunner.job.to_child)


class EchoParams(FunctionBlockParams):
    """The text."""

    text: str = Field(description="The text to give back")


class EchoResult(FunctionBlockResultData):
    """The text, and the marks in seconds of CLOCK_MONOTONIC."""

    text: str
    order_read: float
    payload_read: float
    begun: float
    returned: float


@register_function_block(
    Registration(
        package="neops_bench",
        name="marked_echo",
        version=(1, 0, 0),
        description="Gives back the text, and says when",
        markdown_helptext="For the benchmark: an echo that says when its child had read the order.",
        run_on="global",
        fb_type="none",
        param_cls=EchoParams,
        result_cls=EchoResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class MarkedEcho(FunctionBlock[EchoParams, EchoResult]):
    """Gives back the text, and says when."""

    async def run(self, params: EchoParams, context: WorkflowContext) -> FunctionBlockResult[EchoResult]:
        """Return the text and the marks; never fails."""
        begun = time.monotonic()
        data = EchoResult(text=params.text, **_read_at, begun=begun, returned=time.monotonic())
        return FunctionBlockResult(success=True, message="Echoed the text", data=data)
