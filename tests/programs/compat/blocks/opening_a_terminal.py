"""A pseudo-terminal that is opened as libraries open it: without O_NOCTTY, and closed at the end."""

import os

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


class TerminalParams(FunctionBlockParams):
    line: str


class TerminalResult(FunctionBlockResultData):
    read: str


@register_function_block(
    Registration(
        name="open_terminal",
        description="Sends a line through a pseudo-terminal",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=TerminalParams,
        result_cls=TerminalResult,
    )
)
class OpenTerminal(FunctionBlock[TerminalParams, TerminalResult]):
    async def acquire(self, params: AcquireParams[TerminalParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(
        self, params: TerminalParams, context: WorkflowContext
    ) -> FunctionBlockResult[TerminalResult]:
        near, far = os.openpty()
        again = os.open(os.ttyname(far), os.O_RDWR)
        os.write(again, f"{params.line}\n".encode())
        read = os.read(near, 1000).decode().strip()
        for descriptor in (again, far, near):
            os.close(descriptor)
        return FunctionBlockResult(message="Closed", success=True, data=TerminalResult(read=read))
