"""Blocks that start descendants and are then busy for ever, each in its own way."""

import ctypes

from blocks.testing.descendants import MarkerParams, start_descendants
from blocks.testing.registering import NoData, misbehaving
from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block


@register_function_block(misbehaving("leaves_and_spins", "Leaves descendants and spins", MarkerParams))
class LeavesAndSpins(FunctionBlock[MarkerParams, NoData]):
    """Burns a core in a Python loop."""

    async def run(self, params: MarkerParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        await start_descendants(params.marker)
        while True:
            pass


@register_function_block(misbehaving("leaves_and_hogs", "Leaves descendants and holds the GIL", MarkerParams))
class LeavesAndHogs(FunctionBlock[MarkerParams, NoData]):
    """Sleeps in C with the GIL held."""

    async def run(self, params: MarkerParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        await start_descendants(params.marker)
        while True:
            ctypes.PyDLL(None).poll(None, 0, 3_600_000)
