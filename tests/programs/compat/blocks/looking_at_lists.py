"""Which lists a context has, and which of them are None."""

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
from neops_worker_sdk.testing.factories.context_factory import create_workflow_context
from neops_worker_sdk.workflow.workflow_context import WorkflowContext


class LookParams(FunctionBlockParams):
    pass


class LookResult(FunctionBlockResultData):
    of_the_job: dict[str, str]
    of_a_test: dict[str, str]


@register_function_block(
    Registration(
        name="look_at_lists",
        description="Says how many entities there are",
        package="compat",
        run_on="global",
        fb_type="facts",
        param_cls=LookParams,
        result_cls=LookResult,
    )
)
class LookAtLists(FunctionBlock[LookParams, LookResult]):
    async def acquire(self, params: AcquireParams[LookParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: LookParams, context: WorkflowContext) -> FunctionBlockResult[LookResult]:
        data = LookResult(of_the_job=lists(context), of_a_test=lists(create_workflow_context("global")))
        return FunctionBlockResult(message="Looked", success=True, data=data)


def lists(context: WorkflowContext) -> dict[str, str]:
    found = {
        "devices": context.devices,
        "device_groups": context.device_groups,
        "interfaces": context.interfaces,
    }
    return {name: "None" if each is None else str(len(each)) for name, each in found.items()}
