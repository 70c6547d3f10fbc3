"""Blocks for tests of isolation: one changes its process, one reports on it."""

import os
import sys
import threading

from pydantic import Field

from blocks.testing.registering import misbehaving
from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

__neops_named_only__ = True

# What a job could leave for the next one if they shared a process.
left_by_earlier_jobs: list[str] = []


class WritesEnvParams(FunctionBlockParams):
    """What to leave."""

    name: str = Field(
        default="NEOPS_TESTING_LEFT", min_length=1, description="Name of the environment variable"
    )
    value: str = Field(default="left", description="Its value")


class StateParams(FunctionBlockParams):
    """Nothing to choose."""


class StateResult(FunctionBlockResultData):
    """What the process looks like from inside. `descriptors`: the links of /proc/self/fd by number."""

    pid: int
    parent_pid: int
    session_id: int
    group_id: int
    working_directory: str
    files: list[str]
    argv: list[str]
    environment: list[str]
    descriptors: dict[str, str]
    threads: list[str]
    left_by_earlier_jobs: list[str]


@register_function_block(
    misbehaving(
        "writes_env", "Changes environment, globals and working directory", WritesEnvParams, StateResult
    )
)
class WritesEnv(FunctionBlock[WritesEnvParams, StateResult]):
    """Leaves something in the environment, in a global, in `sys.path` and in its working directory."""

    async def run(
        self, params: WritesEnvParams, context: WorkflowContext
    ) -> FunctionBlockResult[StateResult]:
        """Return success and the state after the changes."""
        os.environ[params.name] = params.value
        left_by_earlier_jobs.append(params.value)
        sys.path.append(params.value)
        with open(params.name, "w", encoding="utf-8") as file:
            file.write(params.value)
        return FunctionBlockResult(success=True, message="Changed it", data=_state())


@register_function_block(misbehaving("read_state", "Reports on its own process", StateParams, StateResult))
class ReadState(FunctionBlock[StateParams, StateResult]):
    """Reports what a job can see of its process."""

    async def run(self, params: StateParams, context: WorkflowContext) -> FunctionBlockResult[StateResult]:
        """Return success and the state."""
        return FunctionBlockResult(success=True, message="Read it", data=_state())


def _state() -> StateResult:
    return StateResult(
        pid=os.getpid(),
        parent_pid=os.getppid(),
        session_id=os.getsid(0),
        group_id=os.getpgrp(),
        working_directory=os.getcwd(),
        files=sorted(os.listdir()),
        argv=list(sys.argv),
        environment=sorted(os.environ),
        descriptors=_descriptors(),
        threads=[thread.name for thread in threading.enumerate()],
        left_by_earlier_jobs=list(left_by_earlier_jobs),
    )


def _descriptors() -> dict[str, str]:
    links: dict[str, str] = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            links[number] = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            continue  # the descriptor of this listing itself
    return links
