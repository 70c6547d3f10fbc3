"""Rollback as it was declared in older blocks: the result of the forward job without a default."""

from typing import Any

from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    FunctionBlockRollbackResult,
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.workflow_context import WorkflowContext


class OlderParams(FunctionBlockParams):
    banner: str


class OlderResult(FunctionBlockResultData):
    before: str


@register_function_block(
    Registration(
        name="change_as_before",
        description="Changes the banner, and puts it back by the older signature",
        package="compat",
        run_on="device",
        fb_type="configure",
        param_cls=OlderParams,
        result_cls=OlderResult,
        reversible=True,
    )
)
class ChangeAsBefore(FunctionBlock[OlderParams, OlderResult]):
    async def acquire(self, params: AcquireParams[OlderParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: OlderParams, context: WorkflowContext) -> FunctionBlockResult[OlderResult]:
        return FunctionBlockResult(message="The banner is set", success=True, data=OlderResult(before="none"))

    async def rollback(
        self, params: OlderParams, context: WorkflowContext, result_from_failed: Any
    ) -> FunctionBlockRollbackResult:
        return FunctionBlockRollbackResult(
            message=f"{params.banner} is gone; the result before was {result_from_failed}", success=True
        )
