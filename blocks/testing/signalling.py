"""Blocks that send signals to themselves, or do not listen to any."""

import os
import signal
import sys
import time
from typing import Literal

from pydantic import Field

from blocks.testing.registering import NoData, NoParams, misbehaving
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    WorkflowContext,
    register_function_block,
)

__neops_named_only__ = True


class SignalParams(FunctionBlockParams):
    """Which signal."""

    name: Literal["SIGABRT", "SIGKILL", "SIGSTOP", "SIGTERM"] = Field(
        default="SIGABRT", description="Name of the signal"
    )


@register_function_block(misbehaving("signal_itself", "Sends a signal to its own process", SignalParams))
class SignalItself(FunctionBlock[SignalParams, NoData]):
    """Ends or stops its own process by a signal. Only SIGKILL ends a stopped process."""

    async def run(self, params: SignalParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        os.kill(os.getpid(), signal.Signals[params.name])
        raise AssertionError("nothing handles this signal")


@register_function_block(misbehaving("block_signals", "Blocks every signal, then hangs"))
class BlockSignals(FunctionBlock[NoParams, NoData]):
    """Blocks every signal that can be blocked, also the signal that asks for its stack."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            time.sleep(3600)


@register_function_block(misbehaving("replace_process", "Replaces its process by another program"))
class ReplaceProcess(FunctionBlock[NoParams, NoData]):
    """Calls exec: the program that follows knows nothing of a job."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
