"""Acquire: by search, by context, with parameters that are not all known yet, and refused."""

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
from neops_workflow_engine_client import EntityAcquireByElasticQuery, EntityAcquireContext


class AcquireByParams(FunctionBlockParams):
    vendor: str
    vlan: int = 1
    only_up: bool | None = None


class AcquireResult(FunctionBlockResultData):
    devices: int


@register_function_block(
    Registration(
        name="acquire_entities",
        description="Asks for devices and interfaces",
        package="compat",
        run_on="global",
        fb_type="facts",
        param_cls=AcquireByParams,
        result_cls=AcquireResult,
    )
)
class AcquireEntities(FunctionBlock[AcquireByParams, AcquireResult]):
    async def acquire(self, params: AcquireParams[AcquireByParams]) -> FunctionBlockAcquireResult:
        known = params.partial
        if known.vendor == "none":
            return FunctionBlockAcquireResult(message="There are no such devices", success=False)
        if "vendor" in params.unresolved:
            everything = EntityAcquireByElasticQuery(
                type="elastic", entity="device", query="*", assert_not_empty=False
            )
            names = ", ".join(sorted(params.unresolved)) + " of " + ", ".join(sorted(params.raw))
            return FunctionBlockAcquireResult(
                message=f"Not known: {names}", success=True, acquires=[everything]
            )
        by_search = EntityAcquireByElasticQuery(
            type="elastic",
            entity="device",
            description="The devices of the vendor",
            query=f"vendor:{known.vendor}",
            assert_not_empty=True,
        )
        by_context = EntityAcquireContext(
            type="context", entity="interface", filter=f"[?vlan==`{known.vlan}`]", assert_not_empty=False
        )
        return FunctionBlockAcquireResult(
            message=f"Acquires of {known.vendor} and {known.vlan}",
            success=True,
            acquires=[by_search, by_context],
        )

    async def run(
        self, params: AcquireByParams, context: WorkflowContext
    ) -> FunctionBlockResult[AcquireResult]:
        count = len(context.devices)
        return FunctionBlockResult(
            message=f"{count} devices", success=True, data=AcquireResult(devices=count)
        )
