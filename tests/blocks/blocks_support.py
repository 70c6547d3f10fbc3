"""What the tests of the blocks share."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext


async def run_block(
    block: FunctionBlock[Any, Any], params: Any, context: WorkflowContext | None = None
) -> FunctionBlockResult[Any]:
    """Run a block as a worker's child does, errors included."""
    context = context or WorkflowContext({}, "global")
    return await block.execute_function_block(params, context, propagate_exceptions=True)


async def wait_until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for a condition, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        await asyncio.sleep(0.01)


def children() -> list[psutil.Process]:
    """All processes below this one."""
    return psutil.Process().children(recursive=True)


@contextmanager
def no_process_left() -> Iterator[None]:
    """Assert that the body leaves no process below this one that was not there before."""
    before = {child.pid for child in children()}
    yield
    assert [child.cmdline() for child in children() if child.pid not in before] == []
