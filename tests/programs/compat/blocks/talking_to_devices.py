"""A proxy composed of capabilities, and what a device without a plugin ends in."""

from dataclasses import asdict

from neops_worker_sdk.connection.capabilities import (
    NetworkDeviceExecutionCapability,
    NetworkDeviceInformationCapability,
)
from neops_worker_sdk.connection.capabilities.network_device_execution import CommandResult
from neops_worker_sdk.connection.exceptions import NeopsConnectionError, PluginNotFoundError
from neops_worker_sdk.connection.proxy import NetworkDeviceConnectionProxy
from neops_worker_sdk.connection.proxy.proxy import ConnectionProxy
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


class DeviceProxy(ConnectionProxy, NetworkDeviceExecutionCapability, NetworkDeviceInformationCapability):
    """Tests put a fake in the place of this one."""


class AskParams(FunctionBlockParams):
    command: str = "show version"


class AskResult(FunctionBlockResultData):
    output: str
    capabilities: list[str]


@register_function_block(
    Registration(
        name="ask_device",
        description="Sends a command to the job's device",
        package="compat",
        run_on="device",
        fb_type="check",
        param_cls=AskParams,
        result_cls=AskResult,
    )
)
class AskDevice(FunctionBlock[AskParams, AskResult]):
    async def acquire(self, params: AcquireParams[AskParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: AskParams, context: WorkflowContext) -> FunctionBlockResult[AskResult]:
        assert context.device is not None
        offered = sorted(NetworkDeviceConnectionProxy.list_capabilities())
        try:
            with DeviceProxy.connect(context.device, logger=self.logger) as proxy:
                answer = proxy.send_command(params.command)
        except NeopsConnectionError as error:
            platform = error.platform if isinstance(error, PluginNotFoundError) else "?"
            return FunctionBlockResult(
                message=f"No plugin for {platform}",
                success=False,
                data=AskResult(output="", capabilities=offered),
            )
        return FunctionBlockResult(
            message="Answered",
            success=True,
            data=AskResult(output=_text(answer), capabilities=offered),
        )


def _text(answer: CommandResult) -> str:
    return str(asdict(answer)["output"])
