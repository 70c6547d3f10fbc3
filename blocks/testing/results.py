"""Blocks that return no valid result."""

import math
from typing import Any, cast

from pydantic import Field

from blocks.testing.registering import NoData, NoParams, misbehaving
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

__neops_named_only__ = True


class AnyResult(FunctionBlockResultData):
    """One value that no model constrains."""

    value: Any = None


class BigParams(FunctionBlockParams):
    """How big."""

    mb: int = Field(default=32, ge=1, le=4096, description="MiB of text")


@register_function_block(misbehaving("no_result", "Returns None"))
class NoResult(FunctionBlock[NoParams, NoData]):
    """Returns None, as a forgotten `return` does."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return None."""
        # The cast tells type checkers a lie, as a block without type checks does.
        return cast(FunctionBlockResult[NoData], None)


@register_function_block(
    misbehaving("not_json_result", "Returns an object that is no JSON", result_cls=AnyResult)
)
class NotJsonResult(FunctionBlock[NoParams, AnyResult]):
    """Returns a success whose data holds a plain object."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[AnyResult]:
        """Return what can't be encoded."""
        return FunctionBlockResult(success=True, message="An object", data=AnyResult(value=object()))


@register_function_block(
    misbehaving("nan_result", "Returns NaN, which JSON does not have", result_cls=AnyResult)
)
class NanResult(FunctionBlock[NoParams, AnyResult]):
    """Returns a success whose data holds a NaN."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[AnyResult]:
        """Return a value that Python's json would write and no other program could read."""
        return FunctionBlockResult(success=True, message="Not a number", data=AnyResult(value=math.nan))


@register_function_block(misbehaving("big_result", "Returns a very large text", BigParams, AnyResult))
class BigResult(FunctionBlock[BigParams, AnyResult]):
    """Returns a success with `mb` MiB of text."""

    async def run(self, params: BigParams, context: WorkflowContext) -> FunctionBlockResult[AnyResult]:
        """Return more than a worker should pass on."""
        return FunctionBlockResult(
            success=True, message="Much", data=AnyResult(value="x" * (params.mb << 20))
        )


@register_function_block(
    misbehaving("circular_result", "Returns a list that holds itself", result_cls=AnyResult)
)
class CircularResult(FunctionBlock[NoParams, AnyResult]):
    """Returns a success whose data contains itself."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[AnyResult]:
        """Return what can't be encoded."""
        circle: list[Any] = []
        circle.append(circle)
        return FunctionBlockResult(success=True, message="A circle", data=AnyResult(value=circle))


class DeepParams(FunctionBlockParams):
    """How deep."""

    levels: int = Field(default=10_000, ge=1, description="Lists within lists")


@register_function_block(
    misbehaving("deep_result", "Returns lists in lists in lists", DeepParams, result_cls=AnyResult)
)
class DeepResult(FunctionBlock[DeepParams, AnyResult]):
    """Returns a success whose data is nested deeper than most parsers go."""

    async def run(self, params: DeepParams, context: WorkflowContext) -> FunctionBlockResult[AnyResult]:
        """Return a value that most parsers can't read."""
        nested: list[Any] = []
        for _ in range(params.levels):
            nested = [nested]
        return FunctionBlockResult(success=True, message="Very deep", data=AnyResult(value=nested))
