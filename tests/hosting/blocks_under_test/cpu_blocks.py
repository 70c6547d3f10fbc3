"""Blocks that use processors, in every place where a job can have something run."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from sdk import FunctionBlockResult, WorkflowContext, register_function_block

from .process_blocks import Base, Data, Params, block, done

IN_A_GRANDCHILD: Final = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'], check=False)"
)
MOST_SECONDS: Final = 60.0
SHORT_SECONDS: Final = 0.02


def busy() -> None:
    """Compute, for longer than any test waits."""
    end = time.monotonic() + MOST_SECONDS
    while time.monotonic() < end:
        pass


def short_lived(wait: Callable[[int], object]) -> None:
    """Have one process after the other use a little and end."""
    end = time.monotonic() + MOST_SECONDS
    while time.monotonic() < end:
        pid = os.fork()
        if pid == 0:
            until = time.process_time() + SHORT_SECONDS
            while time.process_time() < until:
                pass
            os._exit(0)
        wait(pid)


@register_function_block(block("busy_loop"))
class BusyLoop(Base):
    """Computes in its event loop."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        busy()
        return done()


@register_function_block(block("busy_threads"))
class BusyThreads(Base):
    """Computes in threads, and cleans up when it is cancelled."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        try:
            await asyncio.gather(asyncio.to_thread(busy), asyncio.to_thread(busy))
        finally:
            self.logger.warning("cleaned up")
        return done()


@register_function_block(block("busy_grandchild"))
class BusyGrandchild(Base):
    """Has a process of a process compute."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", IN_A_GRANDCHILD], check=False)
        return done()


@register_function_block(block("busy_short_lived"))
class BusyShortLived(Base):
    """Has many processes compute a little each."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        short_lived(lambda pid: os.waitpid(pid, 0))
        return done()


@register_function_block(block("busy_unwaited"))
class BusyUnwaited(Base):
    """The same, and waits for none of them."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        short_lived(lambda pid: time.sleep(SHORT_SECONDS))
        return done()


@register_function_block(block("sleeps_awhile"))
class SleepsAwhile(Base):
    """Waits for longer than its CPU limit."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        await asyncio.sleep(1.5)
        return done()
