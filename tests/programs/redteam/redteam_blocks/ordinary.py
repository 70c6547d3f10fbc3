"""What the attacks use beside the hostile blocks of their areas: a job that does what a good one does."""

import asyncio

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

from .attacking import attacking


class OrdinaryParams(FunctionBlockParams):
    """How long it takes, and what it returns."""

    seconds: float = Field(default=0.0, description="How long it awaits")
    text: str = Field(default="", description="What comes back")


class OrdinaryResult(FunctionBlockResultData):
    """The text."""

    text: str


@register_function_block(
    attacking("ordinary", "Awaits, then returns its text", OrdinaryParams, OrdinaryResult)
)
class Ordinary(FunctionBlock[OrdinaryParams, OrdinaryResult]):
    """Awaits, then returns its text."""

    async def run(
        self, params: OrdinaryParams, context: WorkflowContext
    ) -> FunctionBlockResult[OrdinaryResult]:
        await asyncio.sleep(params.seconds)
        return FunctionBlockResult(success=True, message="Done", data=OrdinaryResult(text=params.text))
