"""Blocks that look like work: what the picture of `supervisor top` shows."""

import asyncio
import time

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
    """None."""


class Data(FunctionBlockResultData):
    """None."""


def _block(name: str) -> Registration:
    return Registration(
        package="acme",
        name=name,
        description=name,
        run_on="global",
        fb_type="execute",
        param_cls=Params,
        result_cls=Data,
    )


@register_function_block(_block("backup"))
class Backup(FunctionBlock[Params, Data]):
    """Waits for devices, and logs how far it is."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Go on until it is ended."""
        for number in range(1, 10_000):
            self.logger.info("saved the configuration of %d of 480 devices", number)
            await asyncio.sleep(1)
        return FunctionBlockResult(success=True, message="done", data=Data())


@register_function_block(_block("audit"))
class Audit(FunctionBlock[Params, Data]):
    """Computes, with 100 MB of facts in its memory."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Go on until it is ended."""
        facts = bytearray(100 * 2**20)
        self.logger.info("comparing 12400 interfaces with the inventory")
        while facts:
            facts[0] ^= 1
            end = time.monotonic() + 0.05
            while time.monotonic() < end:
                pass
            await asyncio.sleep(0)
        return FunctionBlockResult(success=True, message="done", data=Data())


@register_function_block(_block("upgrade"))
class Upgrade(FunctionBlock[Params, Data]):
    """Blocks its event loop, as `time.sleep` does."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Go on until it is ended."""
        self.logger.info("sw-17: waiting for the reload")
        while True:
            time.sleep(3600)
