"""The plugins that are there without the author's doing, by the platforms of devices."""

from typing import Any

from neops_worker_sdk.connection.capabilities import NetworkDeviceInformationCapability
from neops_worker_sdk.connection.exceptions import PluginNotFoundError
from neops_worker_sdk.connection.proxy import NetworkDeviceConnectionProxy
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


class PluginsParams(FunctionBlockParams):
    pass


class PluginsResult(FunctionBlockResultData):
    found: dict[str, str]


@register_function_block(
    Registration(
        name="have_plugins",
        description="Says which of the context's devices there is a plugin for",
        package="compat",
        run_on="global",
        fb_type="check",
        param_cls=PluginsParams,
        result_cls=PluginsResult,
    )
)
class HavePlugins(FunctionBlock[PluginsParams, PluginsResult]):
    async def acquire(self, params: AcquireParams[PluginsParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(
        self, params: PluginsParams, context: WorkflowContext
    ) -> FunctionBlockResult[PluginsResult]:
        found = {str(device.hostname): what_there_is(device) for device in context.devices or []}
        return FunctionBlockResult(message="Looked", success=True, data=PluginsResult(found=found))


def what_there_is(device: Any) -> str:
    try:
        proxy = NetworkDeviceConnectionProxy.get_connection(
            device, connect=False, validate_capabilities=False
        )
    except PluginNotFoundError:
        return "no plugin"
    informs = isinstance(proxy.plugin, NetworkDeviceInformationCapability)
    return f"a plugin for {proxy.plugin.platform}" + (" that informs" if informs else "")
