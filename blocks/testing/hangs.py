"""Blocks that do not end by themselves."""

import asyncio
import ctypes
import re
import time
from typing import Literal

from pydantic import Field

from blocks.testing.registering import NoData, NoParams, Seconds, misbehaving
from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block

__neops_named_only__ = True


@register_function_block(misbehaving("hang_await", "Awaits something that never happens"))
class HangAwait(FunctionBlock[NoParams, NoData]):
    """Awaits for ever; the event loop stays free, so cancellation ends it."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        await asyncio.Event().wait()
        raise AssertionError("nobody sets this event")


@register_function_block(misbehaving("hang_sleep", "Blocks the event loop in time.sleep for ever"))
class HangSleep(FunctionBlock[NoParams, NoData]):
    """Blocks the event loop with the GIL released; no cancellation ends it."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        while True:
            time.sleep(3600)


@register_function_block(misbehaving("spin", "Spins in pure Python for ever"))
class Spin(FunctionBlock[NoParams, NoData]):
    """Burns a core in a Python loop, which gives the GIL away now and then."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        while True:
            pass


class GilHogParams(Seconds):
    """How to hold the GIL: asleep in C, or computing (which ignores `seconds`)."""

    mode: Literal["sleep", "power"] = Field(default="sleep", description="Sleep in C, or compute 7**10**9")


@register_function_block(misbehaving("gil_hog", "Holds the GIL in C without a pause", GilHogParams))
class GilHog(FunctionBlock[GilHogParams, NoData]):
    """Holds the GIL in one C call: no other thread of the process runs a line of Python in that time."""

    async def run(self, params: GilHogParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return after the sleep, or after the many hours of the power."""
        if params.mode == "sleep":
            # PyDLL, unlike CDLL, keeps the GIL during the call.
            ctypes.PyDLL(None).poll(None, 0, int(params.seconds * 1000))
        else:
            # Variables, or the compiler would try to fold it.
            base, exponent = 7, 10
            _ = base**exponent**9
        return FunctionBlockResult(success=True, message="Gave the GIL back", data=NoData())


@register_function_block(misbehaving("regex_hang", "Matches a regular expression that takes for ever"))
class RegexHang(FunctionBlock[NoParams, NoData]):
    """Holds the GIL in `re`: a harmless pattern can do that on an unlucky line of output."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        re.match(r"(a+)+$", "a" * 64 + "b")
        raise AssertionError("this takes longer than the age of the universe")
