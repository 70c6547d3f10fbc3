"""A block whose package has hyphens, as a host's name has."""

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


class GreetParams(FunctionBlockParams):
    name: str


class GreetResult(FunctionBlockResultData):
    greeting: str


@register_function_block(
    Registration(
        name="greet-by-name",
        description="Greets somebody",
        package="fb.use-cases.compat",
        run_on="global",
        fb_type="execute",
        param_cls=GreetParams,
        result_cls=GreetResult,
    )
)
class GreetByName(FunctionBlock[GreetParams, GreetResult]):
    async def acquire(self, params: AcquireParams[GreetParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: GreetParams, context: WorkflowContext) -> FunctionBlockResult[GreetResult]:
        return FunctionBlockResult(
            message="Greeted", success=True, data=GreetResult(greeting=f"Hello {params.name}")
        )
