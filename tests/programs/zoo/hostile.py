"""How the blocks of the zoo are written: one function each, registered as `neops_zoo/<its name>:1.0.0`."""

from collections.abc import Awaitable, Callable
from typing import Any

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)


class Params(FunctionBlockParams):
    """Whatever a block of the zoo needs."""

    number: int = 0


class Data(FunctionBlockResultData):
    """Whatever it tells."""

    value: Any = None


Zoo = FunctionBlock[Params, Data]
Hostile = Callable[[Zoo, Params], Awaitable[Any]]


def hostile(function: Hostile) -> type[Zoo]:
    """Make a block of `function`: what it returns is the value of a success."""

    class Block(FunctionBlock[Params, Data]):
        async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
            value = await function(self, params)
            return FunctionBlockResult(success=True, message="Done", data=Data(value=value))

    text = (function.__doc__ or "").partition("\n")[0]
    Block.__name__ = Block.__qualname__ = function.__name__
    Block.__module__, Block.__doc__ = function.__module__, text
    registration = Registration(
        package="neops_zoo",
        name=function.__name__,
        description=text,
        run_on="global",
        fb_type="execute",
        param_cls=Params,
        result_cls=Data,
    )
    return register_function_block(registration)(Block)
