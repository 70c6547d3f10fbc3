"""Blocks whose event loop does not run, or only seems not to."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)


class Params(FunctionBlockParams):
    """For how long, how often, and where to."""

    seconds: float = 1.0
    times: int = 1
    path: str = ""
    thread: bool = False


class Data(FunctionBlockResultData):
    """Whatever a block below tells."""

    value: Any = None


def block(name: str) -> Registration:
    """Return the registration `under_test/<name>:1.0.0`."""
    return Registration(
        package="under_test",
        name=name,
        description=name,
        run_on="global",
        fb_type="execute",
        param_cls=Params,
        result_cls=Data,
    )


def done(value: Any = None) -> FunctionBlockResult[Data]:
    """Return a success with `value`."""
    return FunctionBlockResult(success=True, message="done", data=Data(value=value))


class Base(FunctionBlock[Params, Data]):
    """A block of this file."""


@register_function_block(block("stalls"))
class Stalls(Base):
    """Sleeps in the event loop, with a short await after each sleep."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return how long each sleep really took, and the tasks of the loop."""
        took = []
        for _ in range(params.times):
            begun = time.monotonic()
            time.sleep(params.seconds)
            took.append(time.monotonic() - begun)
            await asyncio.sleep(0.2)
        return done({"took": took, "tasks": sorted(task.get_name() for task in asyncio.all_tasks())})


@register_function_block(block("works_and_awaits"))
class WorksAndAwaits(Base):
    """Burns a core in slices, logs a lot, has a thread that fights for the GIL, and lets its loop run in between."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return for how long its loop had no turn at most."""
        end = time.monotonic() + params.seconds
        longest, turn = 0.0, time.monotonic()

        def burn() -> None:
            while time.monotonic() < end:
                pass

        if params.thread:
            threading.Thread(target=burn, daemon=True).start()
        while time.monotonic() < end:
            slice_end = time.monotonic() + 0.05
            while time.monotonic() < slice_end:
                pass
            for number in range(20):
                self.logger.info("line %d", number)
            await asyncio.sleep(0)
            longest, turn = max(longest, time.monotonic() - turn), time.monotonic()
        return done(longest)


@register_function_block(block("stops_itself"))
class StopsItself(Base):
    """Stops its process, as a debugger or an operator might."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return, unless somebody sends SIGCONT."""
        os.kill(os.getpid(), signal.SIGSTOP)
        return done()


@register_function_block(block("blocks_signals"))
class BlocksSignals(Base):
    """Blocks every signal, and sleeps."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return."""
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        while True:
            time.sleep(3600)


@register_function_block(block("reuses_the_channel"))
class ReusesTheChannel(Base):
    """Closes a descriptor that is not its own, and gets the channel's number for its next connection."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return."""
        os.close(3)
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        await asyncio.sleep(0.2)
        with contextlib.suppress(BlockingIOError):
            Path(params.path).write_bytes(b"%d " % ours.fileno() + theirs.recv(1000))
            raise AssertionError("something was written to the block's own connection")
        Path(params.path).write_bytes(b"%d nothing" % ours.fileno())
        await asyncio.sleep(3600)
        return done()


@register_function_block(block("crashes_after_a_stall"))
class CrashesAfterAStall(Base):
    """Blocks its loop, and then dies."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return."""
        await asyncio.sleep(0.3)
        time.sleep(params.seconds)
        ctypes.string_at(0)
        raise AssertionError("address 0 was readable")


@register_function_block(block("crashes_beside_threads"))
class CrashesBesideThreads(Base):
    """Has a pool of threads that are done, as after many calls of blocking code; sleeps in the event loop, and dies."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Never return."""
        pool = ThreadPoolExecutor(params.times)
        together = threading.Barrier(params.times)  # so that each has a thread of its own
        await asyncio.gather(*(asyncio.wrap_future(pool.submit(together.wait)) for _ in range(params.times)))
        time.sleep(params.seconds)
        ctypes.string_at(0)
        raise AssertionError("address 0 was readable")


@register_function_block(block("starts_threads"))
class StartsThreads(Base):
    """Starts threads that end at once, again and again for some seconds."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Return when the time is over."""
        end = time.monotonic() + params.seconds
        while time.monotonic() < end:
            threads = [threading.Thread(target=time.sleep, args=(0.001,)) for _ in range(50)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return done()
