"""Blocks that take more than their share, or close what is not theirs."""

import asyncio
import os
import threading
import time

from pydantic import Field

from blocks.testing.registering import NoData, Seconds, misbehaving
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

__neops_named_only__ = True

_MIB = 1 << 20


class EatMemoryParams(FunctionBlockParams):
    """How much, how fast, and how long to keep it."""

    mb: int = Field(default=256, ge=1, description="MiB to take")
    mb_per_second: float = Field(default=200, gt=0, description="Pace in MiB a second")
    hold_seconds: float = Field(default=60, ge=0, description="Seconds to keep it")


class TakenResult(FunctionBlockResultData):
    """How much was taken, in MiB."""

    mb: int


@register_function_block(misbehaving("eat_memory", "Takes memory step by step", EatMemoryParams, TakenResult))
class EatMemory(FunctionBlock[EatMemoryParams, TakenResult]):
    """Takes memory at a steady pace and writes to each page, so that it counts as resident."""

    async def run(
        self, params: EatMemoryParams, context: WorkflowContext
    ) -> FunctionBlockResult[TakenResult]:
        """Return success if it gets all of the memory and may keep it."""
        taken: list[bytearray] = []
        for _ in range(params.mb):
            # A bytearray writes zeros to each page; `bytes` would get untouched pages from the kernel.
            taken.append(bytearray(_MIB))
            await asyncio.sleep(1 / params.mb_per_second)
        await asyncio.sleep(params.hold_seconds)
        return FunctionBlockResult(success=True, message="Took it all", data=TakenResult(mb=len(taken)))


class FillDiskParams(FunctionBlockParams):
    """At which size to stop."""

    max_mb: int = Field(default=1024, ge=1, description="MiB after which it gives up to find the end")
    hold_seconds: float = Field(default=0, ge=0, description="Seconds to keep the disk full")


@register_function_block(
    misbehaving("fill_disk", "Writes into its working directory until it fails", FillDiskParams, TakenResult)
)
class FillDisk(FunctionBlock[FillDiskParams, TakenResult]):
    """Writes one file in its working directory until the kernel refuses, then raises that OSError."""

    async def run(self, params: FillDiskParams, context: WorkflowContext) -> FunctionBlockResult[TakenResult]:
        """Return a failure if there was room for all of it.

        Raises:
            OSError: the disk is full, or a limit on files was hit.
        """
        block = bytes(_MIB)
        with open("fill_disk", "wb", buffering=0) as file:
            try:
                for _ in range(params.max_mb):
                    file.write(block)
            except OSError:
                await asyncio.sleep(params.hold_seconds)
                raise
        data = TakenResult(mb=params.max_mb)
        return FunctionBlockResult(success=False, message="There was room for all of it", data=data)


@register_function_block(misbehaving("thread_leak", "Leaves a thread that the process waits for", Seconds))
class ThreadLeak(FunctionBlock[Seconds, NoData]):
    """Starts a non-daemon thread that sleeps, and returns. At an orderly end the interpreter waits for the thread."""

    async def run(self, params: Seconds, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success, with the thread still there."""
        threading.Thread(target=time.sleep, args=(params.seconds,), name="leaked", daemon=False).start()
        return FunctionBlockResult(success=True, message="Left a thread behind", data=NoData())


class CloseFdsParams(FunctionBlockParams):
    """Which descriptors."""

    first: int = Field(default=0, ge=0, description="The lowest descriptor to close")


@register_function_block(misbehaving("close_fds", "Closes every descriptor of its process", CloseFdsParams))
class CloseFds(FunctionBlock[CloseFdsParams, NoData]):
    """Closes all descriptors, also those of event loop and job socket, and returns success."""

    async def run(self, params: CloseFdsParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success, but no channel is left to report it."""
        os.closerange(params.first, os.sysconf("SC_OPEN_MAX"))
        return FunctionBlockResult(success=True, message="Closed all descriptors", data=NoData())
