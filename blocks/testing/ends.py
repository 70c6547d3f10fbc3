"""Blocks that end their process, or another one, instead of returning."""

import ctypes
import os
import signal
import sys

from pydantic import Field

from blocks.testing.registering import NoData, NoParams, misbehaving
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

__neops_named_only__ = True


class ExitParams(FunctionBlockParams):
    """The exit code."""

    code: int = Field(default=3, ge=0, le=255, description="Exit code of the process")


class PidResult(FunctionBlockResultData):
    """Which process returned."""

    pid: int


@register_function_block(misbehaving("segfault", "Reads address 0"))
class Segfault(FunctionBlock[NoParams, NoData]):
    """Dies of SIGSEGV."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        ctypes.string_at(0)
        raise AssertionError("address 0 was readable")


@register_function_block(misbehaving("exit_code", "Ends the process with os._exit", ExitParams))
class ExitCode(FunctionBlock[ExitParams, NoData]):
    """Ends the process at once, without any clean-up. With code 0 it looks like an orderly end."""

    async def run(self, params: ExitParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        os._exit(params.code)


@register_function_block(misbehaving("sys_exit", "Calls sys.exit", ExitParams))
class SysExit(FunctionBlock[ExitParams, NoData]):
    """Raises SystemExit, which must not count as a success."""

    async def run(self, params: ExitParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Never return."""
        sys.exit(params.code)


@register_function_block(misbehaving("kill_parent", "Sends SIGKILL to its parent process"))
class KillParent(FunctionBlock[NoParams, NoData]):
    """Kills its parent, then returns success. The parent of a job is the worker itself."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return success, if any process is left to see it."""
        os.kill(os.getppid(), signal.SIGKILL)
        return FunctionBlockResult(success=True, message="Killed the parent", data=NoData())


@register_function_block(
    misbehaving("returns_twice", "Forks, and both processes return", result_cls=PidResult)
)
class ReturnsTwice(FunctionBlock[NoParams, PidResult]):
    """Forks the whole process with its event loop and job socket; two results come out."""

    async def run(self, params: NoParams, context: WorkflowContext) -> FunctionBlockResult[PidResult]:
        """Return success, twice."""
        role = "parent" if os.fork() else "fork"
        return FunctionBlockResult(success=True, message=f"The {role}", data=PidResult(pid=os.getpid()))
