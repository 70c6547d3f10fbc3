"""Foreign Python, run with what it may use and no longer than it may."""

import json

from neops_worker_sdk.concurrency import run_in_thread
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


class CodeParams(FunctionBlockParams):
    source: str
    timeout: float = 20
    registers: bool = False


class CodeResult(FunctionBlockResultData):
    results: str
    raised: str


def shout(text: str) -> str:
    return text.upper()


@register_function_block(
    Registration(
        name="run_code",
        description="Runs foreign Python",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=CodeParams,
        result_cls=CodeResult,
    )
)
class RunCode(FunctionBlock[CodeParams, CodeResult]):
    async def acquire(self, params: AcquireParams[CodeParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: CodeParams, context: WorkflowContext) -> FunctionBlockResult[CodeResult]:
        data = await run_code(params)
        return FunctionBlockResult(message="Ran", success=True, data=data)


@run_in_thread
def run_code(params: CodeParams) -> CodeResult:
    # Here, as not every environment has the library that this needs.
    from neops_worker_sdk.connection.utils.restricted_python import run_restricted_code
    from neops_worker_sdk.connection.utils.restricted_python.registry import register_restricted_function

    if params.registers:
        register_restricted_function("shout")(shout)
    known = {"sites": ["zrh"]}
    try:
        results = run_restricted_code(params.source, "<code>", timeout_s=params.timeout, known=known)
    except Exception as error:
        return CodeResult(results=json.dumps(known), raised=type(error).__name__)
    return CodeResult(results=json.dumps(results, default=str), raised="")
