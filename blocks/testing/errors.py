"""Blocks that raise."""

from blocks.testing.registering import NoData, NoParams, misbehaving
from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block

__neops_named_only__ = True


class PlannedBaseException(BaseException):
    """Derives from BaseException, so that `except Exception` does not catch it."""


@register_function_block(misbehaving("raise_error", "Raises an ordinary exception"))
class RaiseError(FunctionBlock[NoParams, NoData]):
    """Raises a ValueError."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return.

        Raises:
            ValueError: always.
        """
        raise ValueError("This block always fails")


@register_function_block(misbehaving("raise_base_exception", "Raises what `except Exception` does not catch"))
class RaiseBaseException(FunctionBlock[NoParams, NoData]):
    """Raises an exception that is no Exception."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return.

        Raises:
            PlannedBaseException: always.
        """
        raise PlannedBaseException("This block always fails")
