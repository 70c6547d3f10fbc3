"""Blocks that hang in an await, in each of the ways that an author may write it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from sdk import FunctionBlockResult, WorkflowContext, register_function_block
from sdk.concurrency import run_parallel, schedule_task

from .process_blocks import Base, Data, Params, block, done


async def ask_one(number: int) -> None:
    """Hang, as a device does that does not answer."""
    await asyncio.sleep(99 + number)


async def ask_another() -> None:
    """Hang elsewhere."""
    await asyncio.sleep(99)


@schedule_task
async def stays(seconds: float) -> None:
    """Go on whoever cancels it."""
    while seconds:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            continue


async def _in_places(many: int) -> None:
    """Hang in a task for each of so many lines."""
    lines = "".join(f"async def wait_{number}():\n    await hang()\n" for number in range(many))
    names: dict[str, Any] = {"hang": ask_another}
    exec(compile(lines, __file__, "exec"), names)
    await asyncio.gather(*(names[f"wait_{number}"]() for number in range(many)))


def _waiting(how: str) -> Awaitable[Any]:
    match how:
        case "run_parallel":
            return run_parallel(ask_one(1), ask_another())
        case "gather":
            return asyncio.gather(ask_one(1), ask_another())
        case "alike":
            return asyncio.gather(*map(ask_one, range(300)))
        case "many places":
            return _in_places(60)
        case _:
            return asyncio.sleep(99)


@register_function_block(block("hangs_awaiting"))
class HangsAwaiting(Base):
    """Waits for ever."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return by itself, but for the task that stays."""
        if params.text == "scheduled":
            stays(99)
            return done(None)
        await _waiting(params.text)
        return done(None)
