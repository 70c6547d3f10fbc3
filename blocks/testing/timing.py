"""Blocks that end late; one of them (`Slow`) is well behaved."""

import asyncio
import contextlib
import ctypes

from pydantic import Field

from blocks.testing.registering import NoData, NoParams, Seconds, misbehaving
from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block

__neops_named_only__ = True


class SlowParams(Seconds):
    """How long to sleep."""

    seconds: float = Field(default=1, ge=0, description="Seconds to sleep")


class SlowCleanupParams(Seconds):
    """How long to clean up."""

    cleanup_seconds: float = Field(default=3600, ge=0, description="Seconds that the clean-up takes")


@register_function_block(misbehaving("slow", "Sleeps on the event loop, then succeeds", SlowParams))
class Slow(FunctionBlock[SlowParams, NoData]):
    """Sleeps without blocking anything; ends at once when it is cancelled."""

    async def run(self, params: SlowParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success after the sleep."""
        await asyncio.sleep(params.seconds)
        return FunctionBlockResult(success=True, message=f"Slept {params.seconds:g} s", data=NoData())


@register_function_block(misbehaving("ignores_cancel", "Catches its cancellation and goes on"))
class IgnoresCancel(FunctionBlock[NoParams, NoData]):
    """Swallows every CancelledError."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)


@register_function_block(misbehaving("slow_cleanup", "Cleans up for long when cancelled", SlowCleanupParams))
class SlowCleanup(FunctionBlock[SlowCleanupParams, NoData]):
    """Accepts its cancellation, but its clean-up takes long."""

    async def run(self, params: SlowCleanupParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success after the sleep, and clean up on every path."""
        try:
            await asyncio.sleep(params.seconds)
        finally:
            await asyncio.sleep(params.cleanup_seconds)
        return FunctionBlockResult(success=True, message="Cleaned up", data=NoData())


@register_function_block(misbehaving("finishes_late", "Sleeps in C past its limit, then succeeds", Seconds))
class FinishesLate(FunctionBlock[Seconds, NoData]):
    """Sleeps in a C call that a signal wakes: the stack dump before the kill makes it succeed, too late."""

    async def run(self, params: Seconds, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success after the sleep, or after the first signal."""
        # Not time.sleep: that goes on after a signal (PEP 475).
        ctypes.CDLL(None).poll(None, 0, int(params.seconds * 1000))
        return FunctionBlockResult(success=True, message="Finished after all", data=NoData())
