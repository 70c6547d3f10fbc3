"""The blocks that all workers run: written for `neops_worker_sdk`, whose worker knows no others."""

import os
import signal
import subprocess
import time

from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.workflow_context import WorkflowContext

SEEN: list[str] = []


class ActParams(FunctionBlockParams):
    act: str = "echo"
    text: str = ""


class ActResult(FunctionBlockResultData):
    text: str
    seen_before: int = 0
    pid: int = 0


@register_function_block(
    Registration(
        name="act",
        description="Does what it is told: gives a text back, hangs, crashes or leaves something behind",
        package="neops_bench_shared",
        run_on="global",
        fb_type="execute",
        param_cls=ActParams,
        result_cls=ActResult,
        markdown_helptext="`act` is *echo*, *hang*, *crash*, *leave_process* or *leave_state*.",
        version=(1, 0, 0),
    )
)
class Act(FunctionBlock[ActParams, ActResult]):
    async def acquire(self, params: AcquireParams[ActParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True, acquires=[])

    async def run(self, params: ActParams, context: WorkflowContext) -> FunctionBlockResult[ActResult]:
        pid = 0
        if params.act == "hang":
            while True:
                time.sleep(1)
        elif params.act == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif params.act == "leave_process":
            left = subprocess.Popen(["sleep", "60"], start_new_session=True, stdin=subprocess.DEVNULL)
            pid = left.pid
        elif params.act == "leave_state":
            SEEN.append(params.text)
        data = ActResult(text=params.text, seen_before=len(SEEN), pid=pid)
        return FunctionBlockResult(message="Done", success=True, data=data)
