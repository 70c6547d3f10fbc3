"""Blocks that wait for a device that says nothing."""

import socket

from declaring import NoData, NoParams, contract_block

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block


@register_function_block(contract_block("mute_device", NoParams, max_seconds=0.5))
class MuteDevice(FunctionBlock[NoParams, NoData]):
    """Reads from a connection over which nothing ever comes, without a time-out, as many a library does."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        ours, self.theirs = socket.socketpair()
        ours.recv(1)
        raise AssertionError("something came")
