"""The block that versions are compared with: an echo that also says where the code around it comes from."""

# What most blocks need. Without it, the processes that are forked would be smaller than those of a real worker.
import netmiko
from pydantic import Field

import sdk
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


class EchoParams(FunctionBlockParams):
    """The text."""

    text: str = Field(description="The text to give back")


class EchoResult(FunctionBlockResultData):
    """The text, and the file that the worker's package for blocks was loaded from."""

    text: str
    code: str


@register_function_block(
    Registration(
        package="neops_bench",
        name="echo",
        version=(1, 0, 0),
        description="Gives back the text, and says where the worker's code is",
        markdown_helptext="For the benchmark: an echo that shows which version of the worker ran it.",
        run_on="global",
        fb_type="none",
        param_cls=EchoParams,
        result_cls=EchoResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class Echo(FunctionBlock[EchoParams, EchoResult]):
    """Gives back the text, and says where the worker's code is."""

    async def run(self, params: EchoParams, context: WorkflowContext) -> FunctionBlockResult[EchoResult]:
        """Return the text and the place of the code; never fails."""
        data = EchoResult(text=params.text, code=sdk.__file__)
        return FunctionBlockResult(success=True, message="Echoed the text", data=data)
