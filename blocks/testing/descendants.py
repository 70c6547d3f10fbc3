"""Blocks that start processes which do not want to end."""

import asyncio
import signal
import subprocess
import sys

from pydantic import Field

from blocks.testing.registering import NoData, misbehaving
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    WorkflowContext,
    register_function_block,
)

__neops_named_only__ = True

# The command line of each descendant ends in the marker and its kind, so that a test finds it in /proc.
_SLEEP = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
_DAEMON = f"import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); {_SLEEP}"


class MarkerParams(FunctionBlockParams):
    """How to recognise the descendants."""

    marker: str = Field(
        default="neops-testing", min_length=1, description="Word on each descendant's command line"
    )


async def start_descendants(marker: str) -> None:
    """Leave a plain child, one in its own session and a double-forked daemon; all hold stdout and stderr."""
    for kind, new_session in (("plain", False), ("setsid", True)):
        command = [sys.executable, "-I", "-S", "-c", _SLEEP, marker, kind]
        # Not asyncio's: its loop would stop to watch them when the block returns, and log that.
        subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=new_session)
    # Forked in a separate process: a fork of this one would copy event loop and threads.
    command = [sys.executable, "-I", "-S", "-c", _DAEMON, marker, "daemon"]
    await asyncio.to_thread(subprocess.run, command, stdin=subprocess.DEVNULL, check=True)


@register_function_block(
    misbehaving("ignore_sigterm_tree", "Ignores SIGTERM, leaves descendants and hangs", MarkerParams)
)
class IgnoreSigtermTree(FunctionBlock[MarkerParams, NoData]):
    """Ignores SIGTERM, starts a plain, a setsid and a double-forked descendant, then hangs."""

    async def run(self, params: MarkerParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        await start_descendants(params.marker)
        while True:
            signal.pause()


@register_function_block(
    misbehaving("leave_behind", "Leaves descendants running and returns success", MarkerParams)
)
class LeaveBehind(FunctionBlock[MarkerParams, NoData]):
    """Starts a plain, a setsid and a double-forked descendant and returns success."""

    async def run(self, params: MarkerParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success, with three processes left."""
        await start_descendants(params.marker)
        return FunctionBlockResult(success=True, message="Left three processes behind", data=NoData())
