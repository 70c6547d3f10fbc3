"""Names that modules have because they import them: editors complete imports so, and blocks keep them."""

from neops_worker_sdk.connection.proxy.proxy import DeviceTypeDto as DeviceOfTheProxy
from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.function_block import (
    EntityAcquireByElasticQuery,
    EntityAcquireContext,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.workflow_context import DeviceTypeDto, InterfaceTypeDto


class DescribeParams(FunctionBlockParams):
    vendor: str = "cisco"


class DescribeResult(FunctionBlockResultData):
    device: str
    is_a_device: bool
    is_an_interface: bool
    is_the_same_class: bool


@register_function_block(
    Registration(
        name="describe_device",
        description="Describes a device by the client's classes",
        package="compat",
        run_on="device",
        fb_type="facts",
        param_cls=DescribeParams,
        result_cls=DescribeResult,
    )
)
class DescribeDevice(FunctionBlock[DescribeParams, DescribeResult]):
    async def acquire(self, params: AcquireParams[DescribeParams]) -> FunctionBlockAcquireResult:
        search = EntityAcquireByElasticQuery(
            type="elastic", entity="device", query=f"vendor:{params.partial.vendor}", assert_not_empty=True
        )
        neighbours = EntityAcquireContext(
            type="context", entity="interface", filter="[*]", assert_not_empty=False
        )
        return FunctionBlockAcquireResult(message="Needed", success=True, acquires=[search, neighbours])

    async def run(
        self, params: DescribeParams, context: WorkflowContext
    ) -> FunctionBlockResult[DescribeResult]:
        data = DescribeResult(
            device=describe(context.device) if context.device else "none",
            is_a_device=isinstance(context.device, DeviceTypeDto),
            is_an_interface=isinstance(context.device, InterfaceTypeDto),
            is_the_same_class=DeviceOfTheProxy is DeviceTypeDto,
        )
        return FunctionBlockResult(message="Described", success=True, data=data)


def describe(device: DeviceTypeDto) -> str:
    return f"{device.hostname} at {device.ip}"
