"""Blocks that raise."""

import asyncio

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
    """Raises an exception that does not derive from Exception."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return.

        Raises:
            PlannedBaseException: always.
        """
        raise PlannedBaseException("This block always fails")


class UnprintableError(Exception):
    """Its `__str__` raises."""

    def __str__(self) -> str:
        raise ValueError("This error can't be described")


@register_function_block(misbehaving("raise_unprintable", "Raises an error whose description raises"))
class RaiseUnprintable(FunctionBlock[NoParams, NoData]):
    """Raises an exception whose `__str__` raises."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return.

        Raises:
            UnprintableError: always.
        """
        raise UnprintableError


@register_function_block(misbehaving("raise_interrupt", "Raises KeyboardInterrupt"))
class RaiseInterrupt(FunctionBlock[NoParams, NoData]):
    """Raises KeyboardInterrupt, which asyncio takes for Ctrl-C."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return.

        Raises:
            KeyboardInterrupt: always.
        """
        raise KeyboardInterrupt


@register_function_block(misbehaving("cancel_itself", "Cancels the task that runs it"))
class CancelItself(FunctionBlock[NoParams, NoData]):
    """Cancels its own task, although the worker has not asked for it."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(3600)
        raise AssertionError("a cancelled task does not sleep")
