"""What the tests of the blocks share."""

import uuid
from typing import Any

import psutil

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext
from tests.patience import PATIENCE_SECONDS, until


async def run_block(
    block: FunctionBlock[Any, Any], params: Any, context: WorkflowContext | None = None
) -> FunctionBlockResult[Any]:
    """Run a block as a worker's child does, errors included."""
    context = context or WorkflowContext({}, "global")
    return await block.execute_function_block(params, context, propagate_exceptions=True)


def unique_seconds() -> str:
    """Return a duration of about ten minutes for `sleep`, written so that it is on no other command line."""
    return f"600.{uuid.uuid4().int % 10**12:012d}"


def running_with(word: str) -> list[int]:
    """Return the living processes of this machine with this word on their command line.

    Not only those below this process: an orphan is nobody's descendant any more.
    """
    found = psutil.process_iter(["cmdline", "status"])
    return [
        process.pid
        for process in found
        if word in " ".join(process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


async def assert_ended(word: str) -> None:
    """Assert that no process with this word on its command line lives on; a kill takes the kernel a moment."""
    await until(lambda: running_with(word) == [], seconds=PATIENCE_SECONDS)
