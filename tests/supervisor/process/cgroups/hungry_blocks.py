"""Blocks that take memory in other ways than by their own pages, and processes that do not want to be caught."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from pydantic import Field

from blocks.testing.registering import NoData, misbehaving
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)
from supervisor.process.cgroups.detection import own_cgroups  # a test's block may

_TAKE = "import sys; taken = bytearray(int(sys.argv[1]) << 20)"
_RESTLESS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    if os.fork():
        time.sleep(0.002)
        os._exit(0)
    os.setsid()
"""


class Params(FunctionBlockParams):
    """Whatever a block below needs."""

    mb: int = Field(default=1, ge=1, description="MiB to take")
    pid: int = Field(default=0, description="A process to take into the job's cgroup")
    marker: str = Field(default="restless", description="Word on the command line of descendants")


class Value(FunctionBlockResultData):
    """A number."""

    value: float


@register_function_block(misbehaving("charged", "Tells what its cgroup is charged", Params, Value))
class Charged(FunctionBlock[Params, Value]):
    """Reads the usage of its own memory cgroup."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Value]:
        """Return MiB."""
        names = {1: "memory.usage_in_bytes", 2: "memory.current"}
        files = [Path(own.path, names[own.version]) for own in own_cgroups()]
        used = max(int(file.read_text()) for file in files if file.exists() and "neops-worker-" in str(file))
        return FunctionBlockResult(success=True, message="Looked", data=Value(value=used / 2**20))


@register_function_block(misbehaving("takes_at_once", "Takes memory in one piece", Params))
class TakesAtOnce(FunctionBlock[Params, NoData]):
    """Takes memory faster than anybody looks."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success if it may."""
        taken = bytearray(params.mb << 20)
        return FunctionBlockResult(success=len(taken) > 0, message="Took it", data=NoData())


@register_function_block(misbehaving("unmarked", "Leaves a process without environment, and hangs", Params))
class Unmarked(FunctionBlock[Params, NoData]):
    """Starts a daemon whose environment does not tell where it comes from."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)", params.marker]
        subprocess.Popen(command, env={}, start_new_session=True)
        await asyncio.sleep(600)
        raise AssertionError


@register_function_block(misbehaving("takes_in", "Takes another process into its cgroup", Params))
class TakesIn(FunctionBlock[Params, NoData]):
    """Moves a process that is not its descendant into its own cgroups."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success when it is in all of them."""
        for own in own_cgroups():
            if "neops-worker-" in own.path:
                Path(own.path, "cgroup.procs").write_text(str(params.pid))
        return FunctionBlockResult(success=True, message="Took it in", data=NoData())


@register_function_block(misbehaving("fills_tmpfs", "Fills a file in memory", Params))
class FillsTmpfs(FunctionBlock[Params, NoData]):
    """Writes a file in a tmpfs, which is memory that no process has."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success if it may."""
        file = os.memfd_create("filled")
        for _ in range(params.mb):
            os.write(file, bytes(1 << 20))
        return FunctionBlockResult(success=True, message="Wrote it", data=NoData())


@register_function_block(misbehaving("hungry_descendant", "Starts a process that takes memory", Params))
class HungryDescendant(FunctionBlock[Params, NoData]):
    """Starts a program that takes too much, and goes on without it."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success when the program was killed."""
        command = [sys.executable, "-I", "-S", "-c", _TAKE, str(params.mb)]
        ended = await asyncio.to_thread(subprocess.run, command, check=False)
        return FunctionBlockResult(
            success=ended.returncode == -signal.SIGKILL, message="Saw it end", data=NoData()
        )


@register_function_block(misbehaving("kills_itself", "Ends itself with SIGKILL", Params))
class KillsItself(FunctionBlock[Params, NoData]):
    """Is ended by a SIGKILL that neither worker nor kernel sent."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


@register_function_block(misbehaving("restless", "Starts a process that is always another one", Params))
class Restless(FunctionBlock[Params, NoData]):
    """Starts a program that forks all the time, each fork in a session of its own, and hangs."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        for _ in range(5):
            subprocess.Popen(
                [shutil.which("python3") or sys.executable, "-I", "-S", "-c", _RESTLESS, params.marker]
            )
        await asyncio.sleep(600)
        raise AssertionError
