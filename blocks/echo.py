"""`neops_base/echo`: returns the text that it gets. Use it to try a new worker."""

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


class EchoParams(FunctionBlockParams):
    """The text, and whether to put it in capitals."""

    text: str = Field(description="The text to give back")
    upper: bool = Field(default=False, description="Give it back in capital letters")


class EchoResult(FunctionBlockResultData):
    """The text, in capitals if the parameters say so."""

    text: str


@register_function_block(
    Registration(
        package="neops_base",
        name="echo",
        version=(1, 0, 0),
        description="Gives back the text it gets",
        markdown_helptext="Returns `text`, in capitals with `upper`. Use it to see that a worker runs jobs.",
        run_on="global",
        fb_type="none",
        param_cls=EchoParams,
        result_cls=EchoResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class Echo(FunctionBlock[EchoParams, EchoResult]):
    """Returns the text it gets."""

    async def run(self, params: EchoParams, context: WorkflowContext) -> FunctionBlockResult[EchoResult]:
        """Return the text; never fails."""
        text = params.text.upper() if params.upper else params.text
        return FunctionBlockResult(success=True, message="Echoed the text", data=EchoResult(text=text))
