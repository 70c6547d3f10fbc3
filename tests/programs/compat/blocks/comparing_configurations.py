"""What differs between two configurations, and what to send for it."""

from neops_worker_sdk.connection.utils.config_diff import (
    ConfigDelta,
    get_config_delta,
    get_config_unified_diff,
    normalize_secrets,
)
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


class CompareParams(FunctionBlockParams):
    platform: str = "ios"
    before: str
    after: str
    is_snippet: bool = False


class CompareResult(FunctionBlockResultData):
    diff: list[str]
    rollout: list[str]
    rollback: list[str]


@register_function_block(
    Registration(
        name="compare_configurations",
        description="Says what leads from one configuration to another, and back",
        package="compat",
        run_on="global",
        fb_type="check",
        param_cls=CompareParams,
        result_cls=CompareResult,
    )
)
class CompareConfigurations(FunctionBlock[CompareParams, CompareResult]):
    async def acquire(self, params: AcquireParams[CompareParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(
        self, params: CompareParams, context: WorkflowContext
    ) -> FunctionBlockResult[CompareResult]:
        before, after = normalize_secrets(params.before), normalize_secrets(params.after)
        diff = get_config_unified_diff(params.platform, before, after, is_snippet=params.is_snippet)
        delta: ConfigDelta = get_config_delta(params.platform, before, after, params.is_snippet)
        data = CompareResult(
            diff=diff.splitlines(), rollout=delta.rollout.splitlines(), rollback=delta.rollback.splitlines()
        )
        return FunctionBlockResult(message="Compared", success=True, data=data)
