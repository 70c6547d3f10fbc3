"""The blocks of the growth cases: one sleeps, one counts the devices of its context, one gives back a long text."""

import asyncio
import time

# What most blocks need. Without it, the processes that are forked would be smaller than those of a real worker.
import netmiko
from pydantic import Field

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


class SleepParams(FunctionBlockParams):
    """How long, or up to when."""

    seconds: float = Field(default=0, description="How long to sleep")
    until: float = Field(default=0, description="Up to when to sleep, in seconds of the calendar")


class TextParams(FunctionBlockParams):
    """How long the text is."""

    characters: int = Field(description="How many characters the result has")


class NoParams(FunctionBlockParams):
    """Nothing."""


class CountResult(FunctionBlockResultData):
    """How many there were."""

    count: int


class TextResult(FunctionBlockResultData):
    """The text."""

    text: str


def _registration(
    name: str, description: str, params: type[FunctionBlockParams], result: type[FunctionBlockResultData]
) -> Registration:
    return Registration(
        package="neops_bench",
        name=name,
        version=(1, 0, 0),
        description=description,
        markdown_helptext=f"For the benchmark: {description}.",
        run_on="global",
        fb_type="none",
        param_cls=params,
        result_cls=result,
        is_pure=True,
        is_idempotent=True,
    )


@register_function_block(_registration("sleep", "Sleeps on the event loop", SleepParams, CountResult))
class Sleep(FunctionBlock[SleepParams, CountResult]):
    """Sleeps without blocking anything."""

    async def run(self, params: SleepParams, context: WorkflowContext) -> FunctionBlockResult[CountResult]:
        """Return when the time is over."""
        await asyncio.sleep(max(params.seconds, params.until - time.time()))
        return FunctionBlockResult(success=True, message="Slept", data=CountResult(count=0))


@register_function_block(_registration("count_devices", "Counts the devices", NoParams, CountResult))
class CountDevices(FunctionBlock[NoParams, CountResult]):
    """Reads the whole context."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[CountResult]:
        """Return how many devices there are."""
        data = CountResult(count=len(context.devices))
        return FunctionBlockResult(success=True, message="Counted the devices", data=data)


@register_function_block(_registration("long_text", "Gives back a long text", TextParams, TextResult))
class LongText(FunctionBlock[TextParams, TextResult]):
    """Has a large result."""

    async def run(self, params: TextParams, context: WorkflowContext) -> FunctionBlockResult[TextResult]:
        """Return the text."""
        data = TextResult(text="x" * params.characters)
        return FunctionBlockResult(success=True, message="Wrote a text", data=data)
