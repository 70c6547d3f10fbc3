"""Rollback: a block that can, and one that says it can and does not."""

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


class ChangeParams(FunctionBlockParams):
    banner: str
    mishap: bool = False


class ChangeResult(FunctionBlockResultData):
    before: str


class _Change(FunctionBlock[ChangeParams, ChangeResult]):
    async def acquire(self, params: AcquireParams[ChangeParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: ChangeParams, context: WorkflowContext) -> FunctionBlockResult[ChangeResult]:
        if params.mishap:
            return FunctionBlockResult(message="The banner is refused", success=False)
        return FunctionBlockResult(
            message="The banner is set", success=True, data=ChangeResult(before="none")
        )


@register_function_block(
    Registration(
        name="change_banner",
        description="Changes the banner and can put it back",
        package="compat",
        run_on="device",
        fb_type="configure",
        param_cls=ChangeParams,
        result_cls=ChangeResult,
        reversible=True,
    )
)
class ChangeBanner(_Change):
    async def rollback(
        self,
        params: ChangeParams,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[ChangeResult] | None = None,
    ) -> FunctionBlockRollbackResult:
        if params.mishap:
            raise RuntimeError("the way back is blocked")
        hostname = context.device.hostname if context.device else "nowhere"
        context.devices[0].hostname = "changed while rolling back"
        forward = "unknown" if result_from_failed is None else result_from_failed.message
        return FunctionBlockRollbackResult(
            message=f"{params.banner} is gone from {hostname}; before: {forward}", success=True
        )


@register_function_block(
    Registration(
        name="change_for_good",
        description="Says that it is reversible, and has no rollback",
        package="compat",
        run_on="global",
        fb_type="configure",
        param_cls=ChangeParams,
        result_cls=ChangeResult,
        reversible=True,
    )
)
class ChangeForGood(_Change):
    pass
