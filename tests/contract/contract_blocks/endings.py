"""Blocks that end in a way of their own."""

import asyncio
import ctypes
import os
import signal

from declaring import ChoiceParams, NoData, NoParams, contract_block

from sdk import (
    FunctionBlock,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)


class PidData(FunctionBlockResultData):
    """Which process it was."""

    pid: int


@register_function_block(contract_block("signalled", ChoiceParams))
class Signalled(FunctionBlock[ChoiceParams, NoData]):
    """Dies of the signal that it is told."""

    async def run(self, params: ChoiceParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        os.kill(os.getpid(), signal.Signals[params.choice])
        raise AssertionError("survived its signal")


@register_function_block(contract_block("short_time", max_seconds=0.5))
class ShortTime(FunctionBlock[NoParams, NoData]):
    """Holds the GIL in C, far beyond its own limit."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        # PyDLL, unlike CDLL, keeps the GIL during the call. The signal that asks for the stack ends each of them.
        while True:
            ctypes.PyDLL(None).poll(None, 0, 3_600_000)


@register_function_block(contract_block("waits_for_file", ChoiceParams))
class WaitsForFile(FunctionBlock[ChoiceParams, NoData]):
    """Waits until there is the file that it is told."""

    async def run(self, params: ChoiceParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Succeed when it is there."""
        while not os.path.exists(params.choice):
            await asyncio.sleep(0.02)
        return FunctionBlockResult(success=True, message="It is there")


@register_function_block(contract_block("busy", max_seconds=5.0))
class Busy(FunctionBlock[NoParams, NoData]):
    """Computes one power in C: burns a core and holds the GIL, until it is killed."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return in time."""
        # Variables, or the compiler would try to fold it.
        base, exponent = 7, 10
        _ = base**exponent**9
        raise AssertionError("survived its limit")


@register_function_block(contract_block("small_memory", max_memory_mb=150))
class SmallMemory(FunctionBlock[NoParams, NoData]):
    """Takes memory until it is killed."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        taken: list[bytes] = []
        while len(taken) < 400:
            taken.append(b"x" * (1 << 20))
        signal.pause()
        raise AssertionError("survived its limit")


@register_function_block(contract_block("fails", ChoiceParams, is_idempotent=True, result_cls=PidData))
class Fails(FunctionBlock[ChoiceParams, PidData]):
    """Returns a failure; with the choice `final` one that the engine should not try again."""

    async def run(self, params: ChoiceParams, context: WorkflowContext) -> FunctionBlockResult[PidData]:
        """Return the failure and the process that it happened in."""
        retryable = False if params.choice == "final" else None
        data = PidData(pid=os.getpid())
        return FunctionBlockResult(success=False, message="It never works", data=data, retryable=retryable)
